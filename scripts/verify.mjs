// `npm run verify [-- names]`: the heavy checks. Theory and engine against known numbers, then every
// experiment at full size over its seeds: trains, probes and analyses them under runs/verify, and holds the intervals
// against what is expected of them. Complete runs are left alone, so that it can be stopped and gone on with.
import process from 'node:process';
import { bootstrap, MAIN, ROOT } from './bootstrap.mjs';
import { run, runScript, ScriptError, succeeded } from './process.mjs';
import { EXPERIMENTS } from './verify-experiments.mjs';

const OUT = 'runs/verify';

async function gradscope(args, stdout = 'inherit') {
  process.stdout.write(`\n$ npx gradscope ${args.join(' ')}\n`);
  const result = await run(process.execPath, [MAIN, ...args], { cwd: ROOT, stdout });
  if (!succeeded(result)) throw new ScriptError('', result);
  return result.stdout;
}

/** One line for each expectation; returns how many do not hold. */
function judge(document, expectations) {
  const quantities = document.sections.flatMap((section) => section.quantities);
  let failed = 0;
  for (const { quantity, low, high, everySeedAbove, reason } of expectations) {
    const own = quantities.find(({ id }) => id === quantity);
    const value = own?.estimate.kind === 'value' ? own.estimate.estimate : null;
    const seeds = own?.seeds.map((seed) => seed.value) ?? [];
    const holds =
      value !== null &&
      value >= low &&
      value <= high &&
      (everySeedAbove === undefined || seeds.every((seed) => seed !== null && seed > everySeedAbove));
    if (!holds) failed++;
    const interval = own?.estimate.interval?.map((end) => end.toPrecision(3)).join(', ') ?? 'none';
    console.log(
      `${holds ? 'ok    ' : 'FAILED'}  ${document.name}: ${quantity} ${value?.toPrecision(3) ?? 'absent'} [${interval}], ` +
        `expected ${low} to ${high}${everySeedAbove === undefined ? '' : `, every seed above ${everySeedAbove}`} (${reason})`,
    );
  }
  return failed;
}

await runScript(async () => {
  const names = process.argv.slice(2);
  const chosen = EXPERIMENTS.filter(
    ({ config }) => names.length === 0 || names.some((name) => config.includes(name)),
  );
  if (chosen.length === 0) {
    throw new ScriptError(
      `no experiment ${names.join(', ')}; there are ${EXPERIMENTS.map(({ config }) => config).join(', ')}`,
    );
  }
  await bootstrap();
  await gradscope(['verify']);
  let failed = 0;
  for (const { config, seeds, folder, probed, expectations } of chosen) {
    const runs = `${OUT}/${folder}`;
    await gradscope(['run', config, '--seeds', seeds, '--out', OUT, '--existing', 'resume']);
    if (probed) await gradscope(['probe', runs, '--missing']);
    const documents = JSON.parse(await gradscope(['analyze', runs, '--json'], 'pipe'));
    for (const document of documents) {
      if (document.name === expectations.name) failed += judge(document, expectations.list);
    }
  }
  console.log(failed === 0 ? '\nall expectations hold' : `\n${failed} expectations do not hold`);
  if (failed > 0) process.exitCode = 1;
});
