import { whyNoVariancePenalty } from '../../../data/samplers.js';
import type { GroupGradients } from '../group-gradients.js';
import { batchMoments } from '../measures/batch-moments.js';
import { dose } from '../measures/dose.js';
import { meanOf } from '../measures/measured.js';
import { smithRegulariser } from '../measures/smith-regulariser.js';
import { minibatchSeries, minibatchVariance, momentsBySteps } from '../minibatch-variance.js';
import type { RunValue } from '../quantity.js';
import { readTable, type RunData } from '../run-data.js';
import { endOfQuestions, questionStage } from '../stages.js';
import type { SectionSpec } from '../section.js';
import { stageSampling } from '../stage-sampling.js';

/** Share of the stage with questions, at its end, over which the variance is averaged. */
const lateShare = 0.2;

const perParameter = 'nats^2/parameter^2';

/** Gradient variance and Smith's penalty at the batch size of the run, from the minibatches that training saw. */
export const gradientNoise: SectionSpec = {
  id: 'gradientNoise',
  title:
    'Gradient noise and its penalty at the batch size of these runs, from the minibatches of training, last fifth of ' +
    'the stage with questions',
  quantities: [
    { id: 'gamma', label: 'gradient variance Gamma', unit: perParameter, null: null },
    { id: 'meanNorm2', label: 'squared norm of the full gradient, |G|^2', unit: perParameter, null: null },
    {
      id: 'noiseScale',
      label: 'simple noise scale Gamma / |G|^2, ratio of averages',
      unit: 'examples',
      null: null,
    },
    { id: 'normTest', label: 'norm test theta of a minibatch', unit: '1', null: null },
    { id: 'variancePart', label: "Smith's penalty, variance part", unit: 'nats', null: null },
    { id: 'normPart', label: "Smith's penalty, norm part", unit: 'nats', null: null },
    {
      id: 'dose',
      label: "dose of Smith's penalty, variance part, over the stage",
      unit: 'nats x rate',
      null: null,
    },
  ],
  measure: async (run, reader) => {
    const gradients = await reader.gradients();
    if (gradients === null) return null;
    const { info } = run;
    const stage = questionStage(info);
    const { steps, learningRate } = stage;
    const sampling = stageSampling(stage);
    const last = endOfQuestions(info);
    const late = { from: Math.floor(last - lateShare * steps), to: last };
    const variance = minibatchVariance(minibatchSeries(gradients), sampling, late);
    if (typeof variance === 'string') {
      const keys = ['gamma', 'meanNorm2', 'noiseScale', 'normTest', 'variancePart', 'normPart', 'dose'];
      return Object.fromEntries(keys.map((key) => [key, variance]));
    }
    const { gamma, meanNorm2 } = variance;
    const penalty = smithRegulariser([{ gamma, meanNorm2, learningRate }], sampling);
    return {
      gamma,
      meanNorm2,
      noiseScale: { numerator: gamma, denominator: meanNorm2 },
      normTest: meanNormTest(gradients, late),
      normPart: penalty.norm,
      variancePart: whyNoVariancePenalty(sampling) ?? penalty.variance,
      dose: await doseOf(run, gradients),
    };
  },
};

/** Mean over minibatches of `theta = sqrt(tr Sigma / (B |g|^2))` (Byrd et al. 2012), tr Sigma from the minibatch. */
function meanNormTest(gradients: GroupGradients, { from, to }: { from: number; to: number }): RunValue {
  const [norm2, exampleNorm2, size] = [
    gradients.norm2('minibatch'),
    gradients.exampleNorm2('minibatch'),
    gradients.count('minibatch'),
  ];
  const thetas: number[] = [];
  gradients.steps.forEach((step, i) => {
    if (step <= from || step > to || norm2[i] === 0) return;
    const own = batchMoments({ size: size[i]!, norm2: norm2[i]!, exampleNorm2: exampleNorm2[i]! });
    if (typeof own !== 'string') thetas.push(Math.sqrt(Math.max(0, own.traceSigma) / size[i]! / norm2[i]!));
  });
  return meanOf(thetas);
}

/** Dose over the stage with questions: Gamma from the minibatches that have per-example norms, held in between. */
async function doseOf(run: RunData, gradients: GroupGradients): Promise<RunValue> {
  const stage = questionStage(run.info);
  const { firstStep } = stage;
  const sampling = stageSampling(stage);
  const columns = await readTable(run, 'steps', ['step', 'learning_rate']);
  if (columns === null) return 'the run has no steps';
  const series = minibatchSeries(gradients);
  const gammas = new Map(
    momentsBySteps(series, sampling).map((own, i) => [series.steps[i]!, own?.gamma ?? null]),
  );
  const steps = columns.column('step', 'int32').values;
  const rates = columns.column('learning_rate', 'float64').values;
  const inStage = Array.from(steps.keys()).filter(
    (row) => steps[row]! > firstStep && steps[row]! <= endOfQuestions(run.info),
  );
  return dose(
    [
      {
        learningRates: inStage.map((row) => rates[row]!),
        gammas: inStage.map((row) => gammas.get(steps[row]!) ?? null),
      },
    ],
    sampling,
  );
}
