import { whyNoVariancePenalty } from '../../../data/samplers.js';
import { forceRatio } from '../measures/force-ratio.js';
import { kappa } from '../measures/kappa.js';
import type { Quantity } from '../quantity.js';
import { readTable, type RunData } from '../run-data.js';
import { endOfQuestions, questionStage } from '../stages.js';
import type { RunValues, SectionSpec } from '../section.js';
import { stageSampling } from '../stage-sampling.js';

/** Below it Smith's expansion in `m epsilon lambda_max` is taken for good. */
const regime = 0.1;

const regimeName = 'm epsilon lambda_max';

/** How strong the penalty's force is beside the loss's, and whether its theory holds at these step sizes. */
export const landscape: SectionSpec = {
  id: 'landscape',
  title:
    "Force of the variance penalty at these runs' batch size and learning rate (read as plain SGD), gradients of " +
    'single examples (end of the stage with questions)',
  quantities: [
    {
      id: 'force',
      label: 'force ratio |kappa grad Gamma| / |grad C|',
      unit: '1',
      null: null,
      controls: [{ id: 'untrained', label: 'the untrained network', key: 'force.untrained' }],
    },
    {
      id: 'cosine',
      label: 'cosine of grad Gamma and grad C',
      unit: '1',
      null: { kind: 'zero', label: '0, unrelated' },
      controls: [{ id: 'untrained', label: 'the untrained network', key: 'cosine.untrained' }],
    },
    {
      id: 'gamma',
      label: 'gradient variance Gamma, without the noise of training',
      unit: 'nats^2/parameter^2',
      null: null,
    },
    {
      id: 'varianceGradient',
      label: 'norm of the gradient of Gamma, |grad Gamma|',
      unit: 'nats^2/parameter^3',
      null: null,
    },
    {
      id: 'lossGradient',
      label: 'norm of the gradient of the mean loss, |grad C|',
      unit: 'nats/parameter',
      null: null,
    },
    { id: 'gsnr', label: 'gradient signal-to-noise ratio, mean over parameters', unit: '1', null: null },
    { id: 'lambdaMax', label: 'largest eigenvalue of the Hessian', unit: 'nats/parameter^2', null: null },
    {
      id: 'regime',
      label: regimeName,
      unit: '1',
      null: null,
      controls: [{ id: 'untrained', label: 'the untrained network', key: 'regime.untrained' }],
    },
  ],
  notes: regimeNotes,
  measure,
};

function regimeNotes(quantities: readonly Quantity[]): string[] {
  const estimate = quantities.find(({ id }) => id === 'landscape.regime')?.estimate;
  if (estimate?.kind !== 'value') return [];
  const value = Number(estimate.estimate.toPrecision(2));
  return [
    estimate.estimate < regime
      ? `In the perturbative regime of Smith's theorem: ${regimeName} is ${value}, below ${regime}.`
      : `Out of the perturbative regime of Smith's theorem, which wants ${regimeName} far below 1: it is ${value}. ` +
        'The penalty is then a scale, not a prediction.',
  ];
}

async function measure(run: RunData): Promise<RunValues | null> {
  const numbers = [
    'loss_gradient_norm',
    'gamma',
    'variance_gradient_norm',
    'variance_loss_cosine',
    'gsnr',
    'lambda_max',
  ] as const;
  const columns = await readTable(run, 'landscape', ['step', ...numbers]);
  if (columns === null) return null;
  const step = columns.column('step', 'int32').values;
  const [lossGradient, gamma, varianceGradient, cosine, gsnr, lambda] = numbers.map(
    (name) => columns.column(name, 'float64').values,
  );
  const stage = questionStage(run.info);
  const { learningRate, stepsPerEpoch } = stage;
  const sampling = stageSampling(stage);
  const strength = kappa(learningRate, sampling);
  const valuesAt = (at: number): Record<string, number | string> => {
    const row = step.indexOf(at);
    const missing = `seed ${run.info.seed}: the landscape at step ${at} was not measured`;
    const of = (values: Float64Array | undefined): number | string =>
      row < 0 ? missing : Number.isFinite(values![row]) ? values![row]! : 'a gradient is zero';
    return {
      force:
        row < 0
          ? missing
          : (whyNoVariancePenalty(sampling) ??
            forceRatio(strength, {
              varianceGradient: varianceGradient![row]!,
              lossGradient: lossGradient![row]!,
            })),
      cosine: of(cosine),
      gamma: of(gamma),
      varianceGradient: of(varianceGradient),
      lossGradient: of(lossGradient),
      gsnr: of(gsnr),
      lambdaMax: of(lambda),
      regime: row < 0 ? missing : stepsPerEpoch * learningRate * Math.abs(lambda![row]!),
    };
  };
  const untrained = valuesAt(0);
  return {
    ...valuesAt(endOfQuestions(run.info)),
    'force.untrained': untrained['force']!,
    'cosine.untrained': untrained['cosine']!,
    'regime.untrained': untrained['regime']!,
  };
}
