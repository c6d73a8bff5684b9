import { tables } from '../../../store/tables/registry.js';
import { whyNoVariancePenalty, type Sampling } from '../../../../data/samplers.js';
import { endOfQuestions, questionStage } from '../../../../data/stage-roles.js';
import { dose } from '../../measures/dose.js';
import { meanOf } from '../../measures/measured.js';
import { normTest } from '../../measures/norm-test.js';
import { smithRegulariser } from '../../measures/smith-regulariser.js';
import { minibatchSeries, minibatchVariance, momentsBySteps, type MinibatchSeries } from './variance.js';
import type { Quantity, RunValue } from '../../quantity.js';
import { readRatedMinibatches, type RatedMinibatches } from './rated.js';
import { readTable, type RunData } from '../../run-data.js';
import type { QuantitySpec, RunValues, SectionSpec } from '../../section.js';
import { rateGroups, stageSampling, type StageInfo } from '../../stage-sampling.js';

/** Share of the stage with questions, at its end, over which the variance is averaged. */
const lateShare = 0.2;

const perParameter = 'nats^2/parameter^2';

const quantities = [
  { id: 'gamma', label: 'gradient variance Gamma', unit: perParameter, null: null },
  {
    id: 'meanNorm2',
    label: 'squared norm of the full gradient, |G|^2',
    shortLabel: 'full gradient, |G|^2',
    unit: perParameter,
    null: null,
  },
  {
    id: 'noiseScale',
    label: 'simple noise scale Gamma / |G|^2, ratio of averages',
    shortLabel: 'noise scale Gamma / |G|^2',
    unit: 'examples',
    null: null,
  },
  { id: 'normTest', label: 'norm test theta of a minibatch', unit: '1', null: null },
  {
    id: 'variancePart',
    label: 'implicit penalty in training, variance part',
    shortLabel: 'penalty, variance part',
    unit: 'nats',
    null: null,
  },
  {
    id: 'normPart',
    label: 'implicit penalty in training, norm part',
    shortLabel: 'penalty, norm part',
    unit: 'nats',
    null: null,
  },
  {
    id: 'dose',
    label: 'dose of the variance part over the stage',
    shortLabel: 'dose of the variance part',
    unit: 'nats x rate',
    null: null,
  },
  {
    id: 'dose.clipped',
    label: 'dose of the variance part, with learning rates as reduced by clipping',
    shortLabel: 'dose, rates reduced by clipping',
    unit: 'nats x rate',
    null: null,
  },
  {
    id: 'clipped',
    label: 'share of the updates that clipping shortens',
    shortLabel: 'share of clipped updates',
    unit: '1',
    null: null,
  },
] as const satisfies readonly QuantitySpec[];

/** Gradient variance and the implicit penalty at the batch size of the run, from the minibatches that training saw. */
export const gradientNoise: SectionSpec = {
  id: 'gradientNoise',
  title:
    'Gradient noise and the implicit penalty at the batch size and learning rates of these runs, from the minibatches of ' +
    'training, last fifth of the stage with questions',
  quantities,
  notes: clippingNotes,
  measure: async (run, reader) => {
    const gradients = await reader.gradients();
    if (gradients === null) return null;
    const stage = questionStage(run.info);
    const sampling = stageSampling(stage);
    const last = endOfQuestions(run.info);
    const late = { from: Math.floor(last - lateShare * stage.steps), to: last };
    const series = minibatchSeries(gradients);
    const clipping = await clippingOf(run, stage);
    const total = minibatchVariance(series, sampling, late);
    if (typeof total === 'string') {
      return { ...allAbsent(total), clipped: typeof clipping === 'string' ? clipping : clipping.share };
    }
    const rated = await readRatedMinibatches(run, rateGroups(run, stage), series);
    return {
      gamma: total.gamma,
      meanNorm2: total.meanNorm2,
      noiseScale: { numerator: total.gamma, denominator: total.meanNorm2 },
      normTest: meanNormTest(series, late),
      ...penaltyOf(rated, sampling, late),
      ...dosesOf(rated, stage, sampling, clipping),
    };
  },
};

/** What clipping does to numbers that take learning rates. */
function clippingNotes(found: readonly Quantity[]): string[] {
  const share = found.find(({ id }) => id === 'gradientNoise.clipped')?.estimate;
  if (share?.kind !== 'value' || share.estimate === 0) return [];
  return [
    `Clipping shortens ${Number((100 * share.estimate).toPrecision(2))} % of the updates of the stage: they move as with a ` +
      'smaller learning rate, which the second dose takes; the penalty of the theory knows no clipping.',
  ];
}

function allAbsent(reason: string): RunValues {
  return Object.fromEntries(quantities.map(({ id }) => [id, reason]));
}

/** Mean over the minibatches of the range of {@link normTest}; those without per-example norms or a gradient do not count. */
function meanNormTest(
  { steps, norm2, exampleNorm2, size }: MinibatchSeries,
  { from, to }: { from: number; to: number },
): RunValue {
  const thetas: number[] = [];
  steps.forEach((step, i) => {
    if (step <= from || step > to) return;
    const theta = normTest({ size: size[i]!, norm2: norm2[i]!, exampleNorm2: exampleNorm2[i]! });
    if (typeof theta === 'number') thetas.push(theta);
  });
  return meanOf(thetas);
}

const noTensors = 'the log has no per-example norms of single tensors';

function penaltyOf(
  rated: readonly RatedMinibatches[] | null,
  sampling: Sampling,
  late: { from: number; to: number },
): RunValues {
  if (rated === null) return { normPart: noTensors, variancePart: noTensors };
  const moments = rated.map((series) => {
    const own = minibatchVariance(series, sampling, late);
    return typeof own === 'string' ? own : { ...own, learningRate: series.learningRate };
  });
  const missing = moments.find((own) => typeof own === 'string');
  if (missing !== undefined) return { normPart: missing, variancePart: missing };
  const { norm, variance } = smithRegulariser(
    moments.filter((own) => typeof own !== 'string'),
    sampling,
  );
  return { normPart: norm, variancePart: whyNoVariancePenalty(sampling) ?? variance };
}

/** Learning rate and clipping of the updates of a stage. */
interface Clipping {
  readonly steps: Int32Array;
  /** `[update]` of the stage: schedule included, parameter groups not. */
  readonly learningRates: Float64Array;
  /** `[update]` factor on the gradient, 1 where it was not clipped. */
  readonly factors: Float64Array;
  /** Share of the updates whose factor is below 1. */
  readonly share: number;
}

async function clippingOf(run: RunData, { firstStep, steps: count }: StageInfo): Promise<Clipping | string> {
  const table = await readTable(run, tables.steps, ['step', 'learning_rate', 'clip_factor']);
  if (table === null) return 'the run has no table steps';
  const { step, learning_rate: rates, clip_factor: clips } = table.columns;
  const rows = Array.from(step.keys()).filter(
    (row) => step[row]! > firstStep && step[row]! <= firstStep + count,
  );
  if (rows.length === 0) return 'the run has no update of the stage with questions';
  const pick = (values: Float64Array): Float64Array => Float64Array.from(rows, (row) => values[row]!);
  const factors = pick(clips);
  return {
    steps: Int32Array.from(rows, (row) => step[row]!),
    learningRates: pick(rates),
    factors,
    share: factors.filter((factor) => factor < 1).length / rows.length,
  };
}

/** Doses over the stage: Gamma of each rate's parameters from minibatches with per-example norms, held in between. */
function dosesOf(
  rated: readonly RatedMinibatches[] | null,
  stage: StageInfo,
  sampling: Sampling,
  clipping: Clipping | string,
): RunValues {
  if (typeof clipping === 'string') return { dose: clipping, 'dose.clipped': clipping, clipped: clipping };
  const { steps, learningRates, factors, share } = clipping;
  const doseWith = (clip: (update: number) => number): RunValue =>
    rated === null
      ? noTensors
      : dose(
          rated.map((series) => {
            const moments = momentsBySteps(series, sampling);
            const gammas = new Map(Array.from(series.steps, (step, i) => [step, moments[i]?.gamma ?? null]));
            // The table has the stage's rate; the schedule is the same factor for all parameters.
            const scale = stage.learningRate === 0 ? 1 : series.learningRate / stage.learningRate;
            return {
              learningRates: learningRates.map((rate, update) => rate * scale * clip(update)),
              gammas: Array.from(steps, (step) => gammas.get(step) ?? null),
            };
          }),
          sampling,
        );
  return {
    dose: doseWith(() => 1),
    'dose.clipped': doseWith((update) => factors[update]!),
    clipped: share,
  };
}
