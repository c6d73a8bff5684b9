import { penaltyColumns, penaltyPoints, type MinibatchPoint } from '../penalty-points.js';
import { readTable, type RunData } from '../run-data.js';
import { endOfQuestions } from '../stages.js';
import type { QuantitySpec, SectionSpec } from '../section.js';

/** Batch sizes that are reported: powers of two, and the full batch as 0. */
export const batchSizes = [8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 0] as const;

/** Id of the mean squared norm of minibatches of a size, and of its relative deviation from the law. */
export const measuredAt = (batchSize: number): string => `norm2.${sizeId(batchSize)}`;
const deviationAt = (batchSize: number): string => `deviation.${sizeId(batchSize)}`;
const sizeId = (batchSize: number): string => (batchSize === 0 ? 'full' : String(batchSize));

const nameOf = (batchSize: number): string => (batchSize === 0 ? 'full batch' : `batch size ${batchSize}`);

/** Real minibatches of every size against the law of the penalty, at the end of the stage with questions. */
export const penaltyLaw: SectionSpec = {
  id: 'penaltyLaw',
  title:
    'Mean squared norm of real minibatch gradients against the law |G|^2 + (N-B)/(N-1) Gamma/B, end of the stage with ' +
    'questions (epsilon/4 times it is the implicit penalty)',
  quantities: [
    ...batchSizes.map((batchSize): QuantitySpec => ({
      id: measuredAt(batchSize),
      label: `mean squared norm of minibatch gradients, ${nameOf(batchSize)}`,
      unit: 'nats^2/parameter^2',
      null: { kind: 'measured', label: 'the law', key: `${measuredAt(batchSize)}.law` },
    })),
    ...batchSizes
      .filter((batchSize) => batchSize !== 0)
      .map((batchSize): QuantitySpec => ({
        id: deviationAt(batchSize),
        label: `squared norm of minibatches / its law - 1, ${nameOf(batchSize)}`,
        unit: '1',
        null: { kind: 'zero', label: '0, the law' },
      })),
    {
      id: 'meanDeviation',
      label: 'squared norm of minibatches / its law - 1, mean over batch sizes',
      unit: '1',
      null: { kind: 'zero', label: '0, the law' },
    },
    {
      id: 'replacement',
      label: 'squared norm of minibatches with replacement / (|G|^2 + Gamma/B) - 1, mean over batch sizes',
      unit: '1',
      null: { kind: 'zero', label: '0, the law without the correction for a finite set' },
    },
  ],
  measure: measurePenalty,
};

async function measurePenalty(run: RunData): Promise<Record<string, number | string> | null> {
  const columns = await readTable(run, 'penalty', penaltyColumns);
  if (columns === null) return null;
  const at = endOfQuestions(run.info);
  const points = penaltyPoints(columns, at);
  const values: Record<string, number | string> = {};
  for (const batchSize of batchSizes) {
    const own = points?.shuffle.find((point) => point.batchSize === (batchSize || points.examples));
    const missing = `seed ${run.info.seed}: no minibatches of ${nameOf(batchSize)} at step ${at}`;
    values[measuredAt(batchSize)] = own?.measured ?? missing;
    values[`${measuredAt(batchSize)}.law`] = own?.law ?? missing;
    values[deviationAt(batchSize)] = own === undefined ? missing : own.measured / own.law - 1;
  }
  const deviation = (own: readonly MinibatchPoint[]): number | string => {
    // The full batch is the law itself; with replacement it is one draw, as large minibatches are few.
    const parts = own.filter(({ batchSize }) => batchSize !== points?.examples);
    return parts.length === 0
      ? `seed ${run.info.seed}: no minibatches at step ${at}`
      : parts.reduce((total, { measured, law }) => total + measured / law, 0) / parts.length - 1;
  };
  values['meanDeviation'] = deviation(points?.shuffle ?? []);
  values['replacement'] = deviation(points?.withReplacement ?? []);
  return values;
}
