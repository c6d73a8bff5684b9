import { z } from 'zod';
import { parseGroupName, subsetOf, type Design } from './design.js';

/** Which groups of training examples are meant: those that have all that is said. */
export const groupSelectionSchema = z
  .strictObject({
    kind: z.enum(['definition', 'qa']).optional().describe('definitions, or questions'),
    tag: z
      .enum(['reliable', 'unreliable', 'new'])
      .optional()
      .describe('role of the tag that the definition of the variable has'),
    subsets: z.array(z.string().max(100)).min(1).max(100).optional().describe('names of subsets'),
  })
  .refine((own) => Object.values(own).some((value) => value !== undefined), {
    message: 'says of no group which it is; give kind, tag or subsets',
  });

export type GroupSelection = z.infer<typeof groupSelectionSchema>;

/** Positions in `groups` of the groups that a selection means; none where there are none. */
export function selectGroups(
  design: Design,
  groups: readonly string[],
  { kind, tag, subsets }: GroupSelection,
): number[] {
  return groups.flatMap((name, i) => {
    const group = parseGroupName(name);
    const shown = subsetOf(design, group.subset)?.tag ?? null;
    const role = design.tags.find((own) => own.tag === shown)?.role;
    const isMeant =
      (kind === undefined || group.kind === kind) &&
      (tag === undefined || role === tag) &&
      (subsets === undefined || subsets.includes(group.subset));
    return isMeant ? [i] : [];
  });
}
