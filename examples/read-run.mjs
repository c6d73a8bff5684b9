// Reads runs and prints, for every pair of groups of examples, the cosine of their gradients, averaged over the updates in
// which both occur and then over seeds. `node examples/read-run.mjs runs/greater`
import { findRuns, openRun, readTable, tables } from 'gradscope';
import { meanOverSeeds } from 'gradscope/statistics';

const { runs, problems } = await findRuns(process.argv.slice(2));
for (const problem of problems) console.error(problem);
if (runs.length === 0) {
  console.error('usage: node read-run.mjs <run folders, or folders that hold runs>');
  process.exit(1);
}

/** Pair of groups -> mean cosine of a run. */
async function meanCosines(folder) {
  const gram = await readTable(await openRun(folder), tables.gram, [
    'tensor',
    'group_a',
    'group_b',
    'cosine',
  ]);
  const sums = new Map();
  if (gram === null) return sums;
  const { tensor, group_a: a, group_b: b, cosine } = gram.columns;
  for (let row = 0; row < gram.rows; row++) {
    if (tensor.text(row) !== 'total' || a.text(row) === b.text(row) || cosine.isNull(row)) continue;
    const pair = `${a.text(row)} and ${b.text(row)}`;
    const { sum, count } = sums.get(pair) ?? { sum: 0, count: 0 };
    sums.set(pair, { sum: sum + cosine.values[row], count: count + 1 });
  }
  return new Map(Array.from(sums, ([pair, { sum, count }]) => [pair, sum / count]));
}

const bySeed = [];
for (const { folder } of runs) bySeed.push(await meanCosines(folder));
console.log(`mean cosine of gradients, ${runs.length} runs`);
for (const pair of bySeed[0].keys()) {
  const { estimate, interval } = meanOverSeeds(bySeed.flatMap((own) => own.get(pair) ?? []));
  const band = interval === null ? '' : `  [${interval.map((end) => end.toFixed(3)).join(', ')}]`;
  console.log(`  ${estimate.toFixed(3).padStart(6)}${band}  ${pair}`);
}
