// `npm run test:faults [-- options]`: brings the clone up to date, then tries what can go wrong (docs/testing.md).
import process from 'node:process';
import { bootstrap, ROOT } from './bootstrap.mjs';
import { exitLike, run, runScript } from './process.mjs';

await runScript(async () => {
  await bootstrap({ quiet: true });
  const args = ['--import', 'tsx', 'test/faults/campaign/main.ts', ...process.argv.slice(2)];
  exitLike(await run(process.execPath, args, { cwd: ROOT }));
});
