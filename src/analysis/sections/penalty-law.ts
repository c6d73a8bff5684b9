import { expectedMinibatchNorm2 } from '../measures/expected-minibatch-norm.js';
import { endOfQuestions, readTable, type RunData } from '../run-data.js';
import type { QuantitySpec, SectionSpec } from '../section.js';

/** Batch sizes that are reported: powers of two, and the full batch as 0. */
const batchSizes = [8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 0] as const;

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
      name: `measured, ${nameOf(batchSize)}`,
      unit: 'nats^2/parameter^2',
      null: { kind: 'measured', name: 'the law', key: `${batchSize} law` },
    })),
    {
      key: 'deviation',
      name: 'measured / law - 1, mean over batch sizes',
      unit: '1',
      null: { kind: 'zero', name: '0, the law' },
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
  const values: Record<string, number | string> = {};
  for (const batchSize of batchSizes) {
    let sum = 0;
    let count = 0;
    let law = NaN;
    for (let row = 0; row < columns.rows; row++) {
      const examples = population[row]!;
      const wanted = batchSize === 0 ? examples : batchSize;
      if (step[row] !== at || sampler.values[sampler.indices[row]!] !== 'shuffle' || size[row] !== wanted)
        continue;
      sum += norm2![row]!;
      count++;
      const moments = { gamma: example![row]! - full![row]!, meanNorm2: full![row]! };
      law = expectedMinibatchNorm2(moments, wanted, examples);
    }
    const missing = `seed ${run.info.seed}: no minibatches of ${nameOf(batchSize)} at step ${at}`;
    values[String(batchSize)] = count === 0 ? missing : sum / count;
    values[`${batchSize} law`] = count === 0 ? missing : law;
  }
  const ratios = batchSizes.flatMap((size) => {
    const [own, law] = [values[String(size)], values[`${size} law`]];
    // The full batch is the law itself.
    return size === 0 || typeof own !== 'number' || typeof law !== 'number' ? [] : [own / law];
  });
  values['deviation'] =
    ratios.length === 0
      ? `seed ${run.info.seed}: no minibatches at step ${at}`
      : ratios.reduce((sum, ratio) => sum + ratio, 0) / ratios.length - 1;
  return values;
}
