import { endOfQuestions, readTable } from '../run-data.js';
import type { SectionSpec } from '../section.js';

/** Whether the variance penalty is there when an epoch shuffles, and only then. */
export const epochDrift: SectionSpec = {
  name: 'epoch-drift',
  title:
    'Shuffling against drawing with replacement: mean end points of all epochs of 4 minibatches of 8 under plain SGD, ' +
    'smallest learning rate (end of the stage with questions)',
  quantities: [
    {
      key: 'projection',
      name: "difference / the variance penalty's prediction - 1",
      unit: '1',
      null: { kind: 'zero', name: '0, the theory; -1 if shuffling did nothing' },
      controls: [
        { name: 'a learning rate four times as large', key: 'projection large' },
        { name: 'the untrained network', key: 'projection untrained' },
      ],
    },
    {
      key: 'cosine',
      name: 'cosine of the two, learning rate four times as large',
      unit: '1',
      null: { kind: 'zero', name: '0, unrelated' },
    },
  ],
  measure: async (run) => {
    const columns = await readTable(run, 'epoch_drift', ['step', 'learning_rate', 'projection', 'cosine']);
    if (columns === null || columns.rows === 0) return null;
    const step = columns.column('step', 'int32').values;
    const [rate, projection, cosine] = (['learning_rate', 'projection', 'cosine'] as const).map(
      (name) => columns.column(name, 'float64').values,
    );
    const rates = [...new Set(rate)].toSorted((a, b) => a - b);
    const at = (where: number, which: number | undefined, values: Float64Array): number | string => {
      const row = Array.from(step.keys()).find((own) => step[own] === where && rate![own] === which);
      return row === undefined || !Number.isFinite(values[row]!)
        ? `seed ${run.info.seed}: no drift was measured at step ${where}`
        : values[row]!;
    };
    const less = (value: number | string): number | string => (typeof value === 'number' ? value - 1 : value);
    const end = endOfQuestions(run.info);
    return {
      projection: less(at(end, rates[0], projection!)),
      'projection large': less(at(end, rates.at(-1), projection!)),
      'projection untrained': less(at(0, rates[0], projection!)),
      cosine: at(end, rates.at(-1), cosine!),
    };
  },
};
