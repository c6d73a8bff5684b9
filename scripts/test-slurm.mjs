// `npm run test:slurm [-- options]`: brings the clone up to date, then runs studies on a Slurm cluster (docs/testing.md).
import process from 'node:process';
import { bootstrap, ROOT } from './bootstrap.mjs';
import { exitLike, run, runScript } from './process.mjs';

await runScript(async () => {
  await bootstrap({ quiet: true });
  const args = ['--import', 'tsx', 'test/slurm/main.ts', ...process.argv.slice(2)];
  exitLike(await run(process.execPath, args, { cwd: ROOT }));
});
