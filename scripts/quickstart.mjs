// `npm run quickstart`: from a fresh clone to a first result.
import process from 'node:process';
import { bootstrap, MAIN, ROOT } from './bootstrap.mjs';
import { run, runScript, ScriptError, succeeded } from './process.mjs';

/** What is run, one command line of gradscope each. */
const COMMANDS = [
  ['doctor'],
  ['run', 'configs/set-inclusion.yaml', '--seeds', '0..7', '--existing', 'resume'],
  ['probe', 'runs/set-inclusion', '--missing', '--only', 'alignment,transfer,transfer-path,penalty'],
  ['analyze', 'runs/set-inclusion'],
];

await runScript(async () => {
  await bootstrap();
  for (const args of COMMANDS) {
    process.stdout.write(`\n$ npx gradscope ${args.join(' ')}\n`);
    const result = await run(process.execPath, [MAIN, ...args], { cwd: ROOT });
    if (!succeeded(result)) throw new ScriptError('', result);
  }
});
