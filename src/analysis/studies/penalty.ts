import { tables } from '../../store/tables/registry.js';
import { whyNoSample, whyNoVariancePenalty } from '../../../data/samplers.js';
import { endOfQuestions, questionStage } from '../../../data/stage-roles.js';
import { smithRegulariser, type RatedMoments } from '../measures/smith-regulariser.js';
import {
  penaltyColumns,
  penaltyPoints,
  pointsBySampler,
  ratedMoments,
  ratedPenaltyColumns,
  type MinibatchPoint,
  type PenaltyPoints,
} from './penalty/points.js';
import type { RunValue } from '../quantity.js';
import { readTable, type RunData } from '../run-data.js';
import type { QuantitySpec, RunValues, SectionSpec } from '../section.js';
import { rateGroups, stageSampling } from '../stage-sampling.js';
import type { Study } from '../study.js';

/** Batch sizes that are reported: powers of two, and the full batch as 0. */
export const batchSizes = [8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 0] as const;

/** Id of the mean squared norm of minibatches of a size, and of its relative deviation from the law. */
export const measuredAt = (batchSize: number): string => `norm2.${sizeId(batchSize)}`;
const deviationAt = (batchSize: number): string => `deviation.${sizeId(batchSize)}`;
/** Keys of the parts of the implicit penalty with these batch sizes, for the curve; no quantities of the section. */
export const normPart = 'normPart';
export const variancePartAt = (batchSize: number): string => `variancePart.${sizeId(batchSize)}`;
const sizeId = (batchSize: number): string => (batchSize === 0 ? 'full' : String(batchSize));

const nameOf = (batchSize: number): string => (batchSize === 0 ? 'full batch' : `batch size ${batchSize}`);

/** Fewer minibatches than these do not average out how they differ: their mean would test the draw, not the law. */
const fewestMinibatches = 8;

/** Real minibatches of every size against the law of the penalty, at the end of the stage with questions. */
export const penaltyLaw: SectionSpec = {
  id: 'penaltyLaw',
  title:
    'Law of the penalty: mean squared norm of real minibatch gradients, drawn as in training, against the law |G|^2 + (N-B)/(N-1) ' +
    'Gamma/B, or |G|^2 + Gamma/B for independent draws; end of the stage with questions',
  ids: () => quantitiesOf(batchSizes).map(({ id }) => id),
  probe: 'penalty',
  quantities: (_, measured) => quantitiesOf(batchSizes.filter((size) => isMeasured(size, measured))),
  measure: measurePenalty,
};

/** Sizes beyond the training set have no quantity. */
const isMeasured = (batchSize: number, measured: readonly RunValues[]): boolean =>
  measured.some((own) => typeof own[measuredAt(batchSize)] === 'number');

function quantitiesOf(sizes: readonly number[]): QuantitySpec[] {
  return [
    ...sizes.map((batchSize): QuantitySpec => ({
      id: measuredAt(batchSize),
      label: `${nameOf(batchSize)}: mean squared norm of minibatch gradients`,
      shortLabel: `${nameOf(batchSize)}: squared norm`,
      unit: 'nats^2/parameter^2',
      null: { kind: 'measured', label: 'the law', key: `${measuredAt(batchSize)}.law` },
    })),
    ...sizes
      .filter((batchSize) => batchSize !== 0)
      .map((batchSize): QuantitySpec => ({
        id: deviationAt(batchSize),
        label: `${nameOf(batchSize)}: squared norm of minibatches / law - 1`,
        shortLabel: `${nameOf(batchSize)}: / law - 1`,
        unit: '1',
        null: { kind: 'zero', label: '0, the law' },
      })),
    {
      id: 'meanDeviation',
      label: 'squared norm of minibatches / law - 1, mean over batch sizes',
      shortLabel: 'mean of / law - 1',
      unit: '1',
      null: { kind: 'zero', label: '0, the law' },
    },
    {
      id: 'replacement',
      label: 'squared norm of minibatches drawn independently / (|G|^2 + Gamma/B) - 1, mean over batch sizes',
      shortLabel: 'independent draws: mean of / law - 1',
      unit: '1',
      null: { kind: 'zero', label: '0, the law without the correction for a finite set' },
    },
  ];
}

async function measurePenalty(run: RunData): Promise<RunValues | null> {
  const table = await readTable(run, tables.penalty, penaltyColumns, ratedPenaltyColumns);
  if (table === null) return null;
  const at = endOfQuestions(run.info);
  const points = penaltyPoints(table, at);
  const sampling = stageSampling(questionStage(run.info));
  const drawn = points === null ? [] : pointsBySampler(points, sampling).own;
  const values: Record<string, RunValue> = {};
  for (const batchSize of batchSizes) {
    const own = drawn.find((point) => point.batchSize === (batchSize || points?.examples));
    const missing =
      whyNoSample(sampling) ?? `seed ${run.info.seed}: no minibatches of ${nameOf(batchSize)} at step ${at}`;
    values[measuredAt(batchSize)] = own?.measured ?? missing;
    values[`${measuredAt(batchSize)}.law`] = own?.law ?? missing;
    values[deviationAt(batchSize)] = own === undefined ? missing : deviationOf(own);
  }
  /** Over sizes with enough minibatches. */
  const mean = (own: readonly MinibatchPoint[]): number | string => {
    // The full batch is the law itself, or a single draw.
    const parts = own.filter((point) => point.batchSize !== points?.examples && isEnough(point));
    return parts.length === 0
      ? `seed ${run.info.seed}: fewer than ${fewestMinibatches} minibatches of any size at step ${at}`
      : parts.reduce((total, { measured, law }) => total + measured / law, 0) / parts.length - 1;
  };
  Object.assign(values, penaltyParts(run, points, ratedMoments(table, at)));
  values['meanDeviation'] = whyNoSample(sampling) ?? mean(drawn);
  values['replacement'] = mean(points?.withReplacement ?? []);
  return values;
}

/** The implicit penalty at every size with the learning rates of the parameters; empty where they were not measured. */
function penaltyParts(run: RunData, points: PenaltyPoints | null, rated: RatedMoments | null): RunValues {
  if (points === null) return {};
  const stage = questionStage(run.info);
  const groups = rateGroups(run, stage);
  let moments = rated;
  if (moments === null && groups.length === 1) {
    const { gamma, fullNorm2 } = points;
    moments = { gamma, meanNorm2: fullNorm2, learningRate: groups[0]!.learningRate };
  }
  if (moments === null) return {};
  const values: Record<string, RunValue> = {};
  for (const size of batchSizes) {
    const batchSize = size === 0 ? points.examples : size;
    const sampling = stageSampling({ ...stage, batchSize, examples: points.examples });
    const parts = smithRegulariser([moments], sampling);
    values[normPart] = parts.norm;
    values[variancePartAt(size)] = whyNoVariancePenalty(sampling) ?? parts.variance;
  }
  return values;
}

const isEnough = ({ minibatches }: MinibatchPoint): boolean => minibatches >= fewestMinibatches;

/** A quotient of every run: the law is a sum of squares, which is nowhere near 0. */
function deviationOf(point: MinibatchPoint): RunValue {
  const { minibatches, measured, law } = point;
  return isEnough(point)
    ? measured / law - 1
    : `${minibatches} ${minibatches === 1 ? 'minibatch' : 'minibatches'} of this size, fewer than ${fewestMinibatches}: too few to average out their noise`;
}

/** The implicit penalty: norms of real minibatches, and their law. */
export const penaltyStudy: Study = {
  sections: [penaltyLaw],
  claims: [
    {
      id: 'penaltyLaw',
      claim:
        'law of the penalty: squared norms of real minibatch gradients are within 5 % of the law at every batch size',
      quantity: 'penaltyLaw.deviation.',
      predicted: 'none',
      band: [-0.05, 0.05],
    },
  ],
  checks: [
    {
      id: 'penaltyLawMean',
      check:
        'mean squared norms of minibatches drawn without replacement follow |G|^2 + (N-B)/(N-1) Gamma/B, mean over ' +
        'batch sizes (combinatorics)',
      quantity: 'penaltyLaw.meanDeviation',
      tolerance: 0.05,
      of: 'mean',
    },
  ],
};
