import { fixedListFloat32, float64, int32, listFloat32, type TableDefinition } from '../columns.js';
import type { LogTier } from '../log-tier.js';
import { units } from '../units.js';
import { stage, step, tensor, group } from './common.js';

const from = (tier: LogTier) => ({
  tier,
  when: `tier \`${tier}\`${tier === 'full' ? '' : ' and above'}`,
});

/** The gradient log: what is kept of the gradients of the groups of a minibatch. */
export const minibatchTables = {
  gradients: {
    name: 'gradients',
    row: 'one step x group x tensor',
    ...from('norms'),
    columns: {
      stage,
      step,
      group,
      tensor,
      norm2: float64("Squared Euclidean norm of the group's part of the minibatch gradient.", {
        unit: units.gradient2,
      }),
      example_norm2: float64(
        "Sum over the group's examples of the squared norm of the per-example gradient; null means not measured.",
        { unit: units.gradient2, nullable: true },
      ),
    },
  },
  gram: {
    name: 'gram',
    row: 'one step x tensor x pair of groups',
    ...from('groups'),
    columns: {
      stage,
      step,
      tensor,
      group_a: group,
      group_b: group,
      inner: float64('Inner product of the gradients of the two groups.', { unit: units.gradient2 }),
      cosine: float64('Cosine of the gradients of the two groups; null means that one of them is zero.', {
        nullable: true,
      }),
    },
  },
  sketches: {
    name: 'sketches',
    row: 'one step x group x tensor',
    ...from('sketch'),
    columns: {
      stage,
      step,
      group,
      tensor,
      sketch: fixedListFloat32(
        "Random projection of the group's gradient.",
        (d) => d.sketchSize,
        units.gradient,
      ),
    },
  },
  vectors: {
    name: 'vectors',
    row: 'one step x group x tensor x chunk',
    ...from('full'),
    columns: {
      stage,
      step,
      group,
      tensor,
      chunk: int32('Number of the chunk within the tensor, counted from 0.'),
      offset: int32('Place of the first value of the chunk within the flattened tensor.', { unit: 'value' }),
      values: listFloat32("Values of the group's gradient in the row-major order of the tensor.", {
        unit: units.gradient,
      }),
    },
  },
} as const satisfies Record<string, TableDefinition>;
