import type { MatchedBlocks } from '../../inference/u-statistics/entity-blocks.js';
import { entityValues } from './panel.js';
import type { EntityValues, EntityPanel, Side } from './panel.js';
import { strataOf } from './strata.js';
import type { Stratum } from './strata.js';

/**
 * A value of each entity from the block of its stratum.
 *
 * @param smallest entities that a block needs: 2 where a wrong partner is asked for
 * @param valuesOf of a block gives the value of its entity number e
 */
export function perEntity<K extends string | number>(
  panel: EntityPanel<K>,
  rows: Side,
  columns: Side,
  within: Stratum,
  smallest: 1 | 2,
  valuesOf: (block: MatchedBlocks<K>) => (e: number) => number,
): EntityValues<K> | string {
  const { blocks, entities } = strataOf(panel, rows, columns, within);
  const found = new Map<K, number>();
  for (const block of blocks) {
    if (block.entities.length < smallest) continue;
    const valueOf = valuesOf(block);
    block.entities.forEach((entity, e) => found.set(entity, valueOf(e)));
  }
  return entityValues(found, entities);
}
