// `node --import tsx scripts/causal-results.ts <runs>/set-inclusion/sweeps/<name> ...`: what docs/experiments/causal.md shows of the results
// of sweeps, into docs/experiments/causal/<name>.json. `npm run docs` makes its tables of them.
import fs from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { format } from 'prettier';
import { meanOverSeeds } from '../src/analysis/inference/seeds/mean.js';
import type { Estimate } from '../src/analysis/inference/estimate.js';
import type { SweepDocument } from '../src/analysis/sweep.js';
import { markOf } from '../src/analysis/sweep/verdicts.js';

/** An estimate with its 95 % interval over seeds. */
export interface Shown {
  readonly estimate: number | null;
  readonly interval: readonly [number, number] | null;
  readonly seeds: number;
}

/** The results of a sweep as the docs show them. */
export interface CausalResults {
  readonly sweep: string;
  readonly description: string;
  /** sha256 of arms and predictions. */
  readonly hash: string;
  /** Of gradscope, by which the results were made. */
  readonly version: string;
  readonly verdicts: readonly (Shown & {
    readonly id: string;
    readonly quantity: string;
    readonly contrast: string;
    readonly predicted: string;
    readonly band: number | null;
    readonly holm: number | null;
    readonly verdict: string;
    /** What speaks against the prediction being older than its runs; null where nothing does. */
    readonly mark: string | null;
    /** Smallest contrast that the seeds find with 80 % power. */
    readonly smallest: number | null;
  })[];
  readonly arms: readonly {
    readonly name: string;
    /** By id of the quantity; less its null where that is measured. */
    readonly quantities: Readonly<Record<string, Shown>>;
  }[];
}

const shownArms = [
  'internalization.strongGap',
  'internalization.weakGap',
  'alignment.tagSwapGap.all',
  'training.loss',
  'training.updates',
  'training.distance',
] as const;

const digits = (value: number): number => Number(value.toPrecision(4));

function shown(estimate: Estimate): Shown {
  if (estimate.kind === 'absent') return { estimate: null, interval: null, seeds: 0 };
  const { interval, seeds } = estimate;
  return {
    estimate: digits(estimate.estimate),
    interval: interval === null ? null : [digits(interval[0]), digits(interval[1])],
    seeds,
  };
}

function resultsOf(document: SweepDocument): CausalResults {
  return {
    sweep: document.name,
    description: document.description,
    hash: document.hash,
    version: document.versions['gradscope'] ?? '',
    verdicts: document.verdicts.map((own) => ({
      id: own.prediction.id,
      quantity: own.prediction.quantity,
      contrast: own.contrast,
      predicted: own.prediction.predicted,
      band: own.prediction.band,
      ...shown(own.estimate),
      holm: own.adjustedPValue === null ? null : digits(own.adjustedPValue),
      verdict: own.verdict,
      mark: markOf(own),
      smallest: own.power.smallest === null ? null : digits(own.power.smallest),
    })),
    arms: document.arms.map(({ name, compared, quantities }) => ({
      name,
      quantities: Object.fromEntries(
        shownArms.flatMap((id) => {
          const seeds =
            compared.find(({ quantity }) => quantity === id)?.values ??
            quantities.find((quantity) => quantity.id === id)?.seeds ??
            [];
          const values = seeds.flatMap(({ value }) => value ?? []);
          return values.length === 0 ? [] : [[id, shown(meanOverSeeds(values))]];
        }),
      ),
    })),
  };
}

for (const folder of process.argv.slice(2)) {
  const document = JSON.parse(fs.readFileSync(path.join(folder, 'sweep.json'), 'utf8')) as SweepDocument;
  const file = `docs/experiments/causal/${document.name}.json`;
  fs.mkdirSync(path.dirname(file), { recursive: true });
  fs.writeFileSync(file, await format(JSON.stringify(resultsOf(document)), { parser: 'json' }));
  console.log(`written: ${file}`);
}
