// `npm test [-- vitest arguments]`: brings the clone up to date, then runs the tests.
import process from 'node:process';
import { bootstrap, ROOT } from './bootstrap.mjs';
import { exitLike, run, runScript } from './process.mjs';

await runScript(async () => {
  await bootstrap({ quiet: true });
  const args = ['node_modules/vitest/vitest.mjs', 'run', ...process.argv.slice(2)];
  exitLike(await run(process.execPath, args, { cwd: ROOT }));
});
