import { tables } from '../../store/tables/registry.js';
import { whyNoVariancePenalty } from '../../../data/samplers.js';
import { endOfQuestions, questionStage } from '../../../data/stage-roles.js';
import { forceRatio } from '../measures/force-ratio.js';
import { kappa } from '../measures/kappa.js';
import type { Quantity } from '../quantity.js';
import { readTable, type RunData } from '../run-data.js';
import type { RunValues, SectionSpec } from '../section.js';
import { rateGroups, stageSampling } from '../stage-sampling.js';
import type { Study } from '../study.js';

/** Below it Smith's expansion in `m epsilon lambda_max` is taken for good. */
const regime = 0.1;

const regimeName = 'm epsilon lambda_max';

/** How strong the penalty's force is beside the loss's, and whether its theory holds at these step sizes. */
const landscape: SectionSpec = {
  id: 'landscape',
  title:
    "Landscape: force of the variance penalty at these runs' batch size and learning rates (read as plain SGD with a rate for each " +
    'parameter); gradients of single examples, end of the stage with questions',
  probe: 'landscape',
  quantities: [
    {
      id: 'force',
      label: 'force of the variance penalty / force of the loss, |kappa grad Gamma| / |grad C|',
      shortLabel: 'force of the penalty / of the loss',
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
      shortLabel: 'variance Gamma, no training noise',
      unit: 'nats^2/parameter^2',
      null: null,
    },
    {
      id: 'varianceGradient',
      label: 'norm of the gradient of Gamma, |grad Gamma|',
      shortLabel: '|grad Gamma|',
      unit: 'nats^2/parameter^3',
      null: null,
    },
    {
      id: 'lossGradient',
      label: 'norm of the gradient of the mean loss, |grad C|',
      shortLabel: '|grad C|',
      unit: 'nats/parameter',
      null: null,
    },
    {
      id: 'gsnr',
      label: 'gradient signal-to-noise ratio, mean over parameters',
      shortLabel: 'gradient signal-to-noise ratio',
      unit: '1',
      null: null,
    },
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

const numbers = [
  'loss_gradient_norm',
  'gamma',
  'variance_gradient_norm',
  'variance_loss_cosine',
  'gsnr',
  'lambda_max',
] as const;

/** In the coordinates `theta / sqrt(learning rate)`, in which every parameter has a rate of 1. */
const rated = ['rated_loss_gradient_norm', 'rated_variance_gradient_norm', 'rated_lambda_max'] as const;

async function measure(run: RunData): Promise<RunValues | null> {
  if (!run.tables.has('landscape')) return null;
  const table = await readTable(run, tables.landscape, ['step', ...numbers], rated);
  if (table === null) return null;
  const { columns } = table;
  const isRated = rated.every((name) => columns[name] !== null);
  const stage = questionStage(run.info);
  const sampling = stageSampling(stage);
  const groups = rateGroups(run, stage);
  const unknown =
    'the parameters have learning rates of their own, in which an earlier version did not measure: npx gradscope probe ' +
    'measures again';
  const valuesAt = (at: number): Record<string, number | string> => {
    const row = columns.step.indexOf(at);
    const of = (name: (typeof numbers)[number] | (typeof rated)[number]): number | string => {
      if (row < 0) return `seed ${run.info.seed}: the landscape at step ${at} was not measured`;
      const column = columns[name];
      const value = (ArrayBuffer.isView(column) ? column : column?.values)?.[row] ?? NaN;
      return Number.isFinite(value) ? value : 'a gradient is zero';
    };
    /** Numbers with rates; of one rate they follow from those without. */
    const withRates = (name: (typeof rated)[number], power: number): number | string => {
      if (isRated) return of(name);
      const [only, ...others] = groups;
      if (only === undefined || others.length > 0) return unknown;
      const plain = of(name.replace('rated_', '') as (typeof numbers)[number]);
      return typeof plain === 'string' ? plain : plain * only.learningRate ** power;
    };
    const lossGradient = withRates('rated_loss_gradient_norm', 0.5);
    const varianceGradient = withRates('rated_variance_gradient_norm', 1.5);
    const lambda = withRates('rated_lambda_max', 1);
    const force =
      typeof lossGradient === 'string'
        ? lossGradient
        : typeof varianceGradient === 'string'
          ? varianceGradient
          : forceRatio(kappa(1, sampling), { varianceGradient, lossGradient });
    return {
      force: whyNoVariancePenalty(sampling) ?? force,
      cosine: of('variance_loss_cosine'),
      gamma: of('gamma'),
      varianceGradient: of('variance_gradient_norm'),
      lossGradient: of('loss_gradient_norm'),
      gsnr: of('gsnr'),
      lambdaMax: of('lambda_max'),
      regime: typeof lambda === 'string' ? lambda : stage.stepsPerEpoch * Math.abs(lambda),
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

/** Gradient variance, its force and curvature at the ends of stages. */
export const landscapeStudy: Study = {
  sections: [landscape],
};
