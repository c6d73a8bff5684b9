import { gapOf, readMetrics } from '../internalization.js';
import type { SectionSpec } from '../section.js';

const zero = { kind: 'zero', name: '0, the same in both subsets' } as const;

/** Weak and strong gaps. */
export const internalization: SectionSpec = {
  name: 'internalization',
  title: 'Internalization',
  quantities: (['weak', 'strong'] as const).flatMap((kind) => [
    { key: `${kind} accuracy`, name: `${kind} gap, accuracy`, unit: 'accuracy', null: zero },
    { key: `${kind} margin`, name: `${kind} gap, margin`, unit: 'nats', null: zero },
  ]),
  measure: async (run) => {
    const metrics = await readMetrics(run);
    const values: Record<string, number | string> = {};
    for (const kind of ['weak', 'strong'] as const) {
      for (const metric of ['accuracy', 'margin'] as const) {
        values[`${kind} ${metric}`] = gapOf(run, metrics, kind, metric);
      }
    }
    return values;
  },
};
