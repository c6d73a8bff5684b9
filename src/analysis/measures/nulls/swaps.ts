import { entityValues, panelBlocks } from './panel.js';
import type { EntityValues, EntityPanel, Side } from './panel.js';

/**
 * What each entity's pairs lose when one side is swapped: mean over its pairs `side` x `against` minus mean over its
 * pairs `swapped` x `against`, everything about the same entity. In units of the panel's products. The reason when no
 * entity has all three or for a number that is not finite.
 */
export function swapContrast<K extends string | number>(
  panel: EntityPanel<K>,
  side: Side,
  swapped: Side,
  against: Side,
): EntityValues<K> | string {
  const [own, other] = [side, swapped].map((rows) => matchedMeans(panel, rows, against));
  const found = new Map<K, number>();
  for (const [entity, value] of own!) {
    const base = other!.get(entity);
    if (base !== undefined) found.set(entity, value - base);
  }
  return entityValues(found, [...own!.keys(), ...other!.keys()]);
}

function matchedMeans<K extends string | number>(
  panel: EntityPanel<K>,
  rows: Side,
  columns: Side,
): ReadonlyMap<K, number> {
  const blocks = panelBlocks(panel, rows, columns);
  const place = new Map(blocks.columns.map((entity, j) => [entity, j]));
  return new Map(
    blocks.rows.flatMap((entity, i) => {
      const j = place.get(entity);
      return j === undefined ? [] : [[entity, blocks.means[i * blocks.columns.length + j]!] as const];
    }),
  );
}

/** The tags of a tag swap: differences are `plus` minus `minus`. */
export interface TagPair {
  readonly plus: string;
  readonly minus: string;
}

/**
 * Tag swap, the primary contrast: the same variable and entity defined with either tag, each against the entity's
 * questions; differences tag + minus tag -, ready for `tagFlipTest`. Definitions are the examples of `kind`, in the
 * panel once with each tag. The reason as for {@link swapContrast}.
 */
export function tagSwap<K extends string | number>(
  panel: EntityPanel<K>,
  kind: string,
  { plus, minus }: TagPair,
  against: Side,
): EntityValues<K> | string {
  return swapContrast(panel, { kind, tag: plus }, { kind, tag: minus }, against);
}

/**
 * Entity swap: the same variable with its own entity minus with another's, against the same examples; the swapped text
 * is of another kind (`entity_swap`). Zero when only the variable's token aligns the gradients. The reason as for
 * {@link swapContrast}.
 */
export function entitySwap<K extends string | number>(
  panel: EntityPanel<K>,
  side: Side,
  swappedKind: string,
  against: Side,
): EntityValues<K> | string {
  return swapContrast(panel, side, { kind: swappedKind }, against);
}
