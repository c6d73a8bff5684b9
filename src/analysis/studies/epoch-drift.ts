import { endOfQuestions } from '../../../data/stage-roles.js';
import { tables } from '../../store/tables/registry.js';
import { readTable } from '../run-data.js';
import type { SectionSpec } from '../section.js';
import type { Study } from '../study.js';

/** Whether the variance penalty is there when an epoch shuffles, and only then. */
const epochDrift: SectionSpec = {
  id: 'epochDrift',
  title:
    'Epoch drift: mean end points of all epochs of 4 minibatches of 8 under plain SGD, shuffled against drawn with replacement, ' +
    'smallest learning rate (end of the stage with questions)',
  probe: 'epoch-drift',
  quantities: [
    {
      id: 'projection',
      label: "drift of shuffled epochs along the variance penalty's prediction / prediction - 1",
      shortLabel: 'along the prediction / prediction - 1',
      unit: '1',
      null: { kind: 'zero', label: '0, the theory; -1 if shuffling did nothing' },
      controls: [
        { id: 'largerRate', label: 'a learning rate four times as large', key: 'projection.largerRate' },
        { id: 'untrained', label: 'the untrained network', key: 'projection.untrained' },
      ],
    },
    {
      id: 'residual',
      label:
        "drift of shuffled epochs minus the variance penalty's prediction, norm / norm of the prediction",
      shortLabel: 'residual / prediction, norms',
      unit: '1',
      null: { kind: 'zero', label: '0, the prediction is the drift' },
    },
    {
      id: 'cosine',
      label:
        "cosine of the drift of shuffled epochs with the variance penalty's prediction, larger learning rate",
      shortLabel: 'cosine with the prediction, larger rate',
      unit: '1',
      null: { kind: 'zero', label: '0, unrelated' },
    },
  ],
  measure: async (run) => {
    const numbers = ['learning_rate', 'projection', 'cosine', 'measured_norm', 'predicted_norm'] as const;
    const table = await readTable(run, tables.epoch_drift, ['step', ...numbers]);
    if (table === null || table.rows === 0) return null;
    const { step, learning_rate: rate, measured_norm: measured, predicted_norm: predicted } = table.columns;
    const [projection, cosine] = [table.columns.projection.values, table.columns.cosine.values];
    // |m - p|^2 / |p|^2 = |m|^2 / |p|^2 - 2 m.p / |p|^2 + 1
    const residual = projection.map((along, row) =>
      Math.sqrt(Math.max(0, (measured[row]! / predicted[row]!) ** 2 - 2 * along + 1)),
    );
    const rates = [...new Set(rate)].toSorted((a, b) => a - b);
    const at = (where: number, which: number | undefined, values: Float64Array): number | string => {
      const row = Array.from(step.keys()).find((own) => step[own] === where && rate[own] === which);
      return row === undefined || !Number.isFinite(values[row]!)
        ? `seed ${run.info.seed}: no drift was measured at step ${where}`
        : values[row]!;
    };
    const less = (value: number | string): number | string => (typeof value === 'number' ? value - 1 : value);
    const end = endOfQuestions(run.info);
    return {
      projection: less(at(end, rates[0], projection)),
      'projection.largerRate': less(at(end, rates.at(-1), projection)),
      'projection.untrained': less(at(0, rates[0], projection)),
      residual: at(end, rates[0], residual),
      cosine: at(end, rates.at(-1), cosine),
    };
  },
};

/** Where shuffled epochs lead, and what the variance penalty predicts. */
export const epochDriftStudy: Study = {
  sections: [epochDrift],
  claims: [
    {
      id: 'epochDriftResidual',
      claim:
        'epoch drift: the variance penalty predicts the difference between the end points of short epochs with and without ' +
        'shuffling up to a residual of less than half its size',
      quantity: 'epochDrift.residual',
      predicted: 'negative',
      threshold: 0.5,
    },
  ],
  checks: [
    {
      id: 'epochDriftProjection',
      check:
        'the mean end point of shuffled short epochs differs from that with replacement, along the prediction of the variance penalty, by the predicted amount ' +
        '(expansion to second order)',
      quantity: 'epochDrift.projection',
      tolerance: 0.1,
      of: 'mean',
    },
  ],
};
