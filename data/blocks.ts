import { z } from 'zod';
import { parseGroupName } from './design.js';
import { UserError } from './errors.js';
import type { ExampleSet } from './experiment.js';

/** Blocks of rows that the sampler `blocks` trains one after the other. */
export const blocksSchema = z
  .array(z.string().max(200))
  .min(2)
  .max(100)
  .nullable()
  .default(null)
  .describe(
    'blocks of the sampler blocks, in their order: each a kind (definition or qa), a subset, or a group such as ' +
      'subset/qa; the first that names a row has it',
  );

/**
 * `[row]` number of the block that each row of a training set belongs to: the first of `blocks` that names its kind, its
 * subset or its group. Throws a UserError, one line, for rows that no block names and for a block without rows.
 *
 * @param groups names of the groups, in the order of `group`
 */
export function blockOfRows(
  blocks: readonly string[],
  groups: readonly string[],
  { group }: Pick<ExampleSet, 'group'>,
): Int32Array {
  const blockOfGroup = groups.map((name) => {
    const { subset, kind } = parseGroupName(name);
    return blocks.findIndex((block) => block === kind || block === subset || block === name);
  });
  const present = [...new Set(group)];
  const left = present.filter((own) => blockOfGroup[own] === -1).map((own) => groups[own]);
  if (left.length > 0) {
    throw new UserError(`no block has the rows of ${left.join(', ')}; name them in blocks`);
  }
  const empty = blocks.findIndex((_, block) => present.every((own) => blockOfGroup[own] !== block));
  if (empty >= 0) {
    const names = present.map((own) => groups[own]).join(', ');
    throw new UserError(
      `blocks.${empty}: ${blocks[empty]} names no rows that a block before it has not (groups: ${names}); correct it or ` +
        'leave it out',
    );
  }
  return group.map((own) => blockOfGroup[own]!);
}
