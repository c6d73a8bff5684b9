import { expectedMinibatchNorm2 } from '../measures/expected-minibatch-norm.js';
import { endOfQuestions, readTable, type RunData } from '../run-data.js';
import type { QuantitySpec, SectionSpec } from '../section.js';

/** Batch sizes that are reported: powers of two, and the full batch as 0. */
export const batchSizes = [8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 0] as const;

/** Name of the quantity of a batch size. */
export const measuredAt = (batchSize: number): string => `measured, ${nameOf(batchSize)}`;

const nameOf = (batchSize: number): string => (batchSize === 0 ? 'full batch' : `batch size ${batchSize}`);

/** Real minibatches of every size against the law of the penalty, at the end of the stage with questions. */
export const penaltyLaw: SectionSpec = {
  name: 'penalty-law',
  title:
    'Mean squared norm of real minibatch gradients against the law |G|^2 + (N-B)/(N-1) Gamma/B, end of the stage with ' +
    'questions (epsilon/4 times it is the implicit penalty)',
  quantities: [
    ...batchSizes.map((batchSize): QuantitySpec => ({
      key: String(batchSize),
      name: measuredAt(batchSize),
      unit: 'nats^2/parameter^2',
      null: { kind: 'measured', name: 'the law', key: `${batchSize} law` },
    })),
    {
      key: 'deviation',
      name: 'measured / law - 1, mean over batch sizes',
      unit: '1',
      null: { kind: 'zero', name: '0, the law' },
    },
    {
      key: 'replacement',
      name: 'with replacement: measured / (|G|^2 + Gamma/B) - 1, mean over batch sizes',
      unit: '1',
      null: { kind: 'zero', name: '0, the law without the correction for a finite set' },
    },
  ],
  measure: measurePenalty,
};

async function measurePenalty(run: RunData): Promise<Record<string, number | string> | null> {
  const columns = await readTable(run, 'penalty', [
    'step',
    'sampler',
    'batch_size',
    'norm2',
    'example_norm2',
    'full_norm2',
    'examples',
  ]);
  if (columns === null) return null;
  const at = endOfQuestions(run.info);
  const step = columns.column('step', 'int32').values;
  const sampler = columns.column('sampler', 'dictionary');
  const size = columns.column('batch_size', 'int32').values;
  const population = columns.column('examples', 'int32').values;
  const [norm2, example, full] = ['norm2', 'example_norm2', 'full_norm2'].map(
    (name) => columns.column(name, 'float64').values,
  );
  const found = { shuffle: new Map<number, Measurement>(), withReplacement: new Map<number, Measurement>() };
  for (let row = 0; row < columns.rows; row++) {
    if (step[row] !== at) continue;
    const kind = sampler.values[sampler.indices[row]!] === 'shuffle' ? 'shuffle' : 'withReplacement';
    const examples = population[row]!;
    const moments = { gamma: example![row]! - full![row]!, meanNorm2: full![row]! };
    const law =
      kind === 'shuffle'
        ? expectedMinibatchNorm2(moments, size[row]!, examples)
        : moments.meanNorm2 + moments.gamma / size[row]!;
    const batchSize = size[row] === examples ? 0 : size[row]!;
    const own = found[kind].get(batchSize) ?? { sum: 0, count: 0, law };
    own.sum += norm2![row]!;
    own.count++;
    found[kind].set(batchSize, own);
  }
  const values: Record<string, number | string> = {};
  for (const batchSize of batchSizes) {
    const own = found.shuffle.get(batchSize);
    const missing = `seed ${run.info.seed}: no minibatches of ${nameOf(batchSize)} at step ${at}`;
    values[String(batchSize)] = own === undefined ? missing : own.sum / own.count;
    values[`${batchSize} law`] = own === undefined ? missing : own.law;
  }
  const deviation = (kind: keyof typeof found): number | string => {
    // The full batch is the law itself; with replacement it is one draw, as large minibatches are few.
    const ratios = [...found[kind]].flatMap(([batchSize, { sum, count, law }]) =>
      batchSize === 0 ? [] : [sum / count / law],
    );
    return ratios.length === 0
      ? `seed ${run.info.seed}: no minibatches at step ${at}`
      : ratios.reduce((total, ratio) => total + ratio, 0) / ratios.length - 1;
  };
  values['deviation'] = deviation('shuffle');
  values['replacement'] = deviation('withReplacement');
  return values;
}

/** Norms of minibatches of one size. */
interface Measurement {
  sum: number;
  count: number;
  readonly law: number;
}
