import type { MatchedBlocks } from '../../inference/u-statistics/entity-blocks.js';
import { examplesOf, matchingBlocks } from './panel.js';
import type { EntityPanel, Side } from './panel.js';

/** Among whom wrong partners are sought: entities of the same tag, or all. */
export type Stratum = 'tag' | 'all';

/** The blocks of matched entities within each stratum, and all entities of the rows. */
export interface Strata<K> {
  readonly blocks: readonly MatchedBlocks<K>[];
  readonly entities: readonly K[];
}

/**
 * Blocks of a panel by tag, or one of all. Throws a RangeError when an entity is in the rows with two tags: its value
 * would mean neither.
 */
export function strataOf<K extends string | number>(
  panel: EntityPanel<K>,
  rows: Side,
  columns: Side,
  within: Stratum,
): Strata<K> {
  const tagOf = new Map<K, string>();
  for (const i of examplesOf(panel, rows)) {
    const { entity, tag } = panel.examples[i]!;
    const known = tagOf.get(entity) ?? tag;
    if (known !== tag) throw new RangeError(`${entity} is there with tags ${known} and ${tag}: choose one`);
    tagOf.set(entity, tag);
  }
  const sides = within === 'all' ? [{}] : [...new Set(tagOf.values())].map((tag) => ({ tag }));
  return {
    blocks: sides.map((side) => matchingBlocks(panel, { ...rows, ...side }, { ...columns, ...side })),
    entities: [...tagOf.keys()],
  };
}
