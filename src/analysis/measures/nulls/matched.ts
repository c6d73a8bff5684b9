import { entityValues } from './panel.js';
import type { EntityValues, Panel, Side } from './panel.js';
import { strataOf } from './strata.js';

/**
 * Mean over the matched pairs of each entity, its definition with its own questions: not a null but what the others
 * stand beside. In units of the panel's products. The reason without a matched pair or for a number that is not
 * finite.
 */
export function matched<K extends string | number>(
  panel: Panel<K>,
  rows: Side,
  columns: Side,
): EntityValues<K> | string {
  const { blocks, entities } = strataOf(panel, rows, columns, 'tag');
  const found = new Map<K, number>();
  for (const { entities: own, means } of blocks) {
    own.forEach((entity, e) => found.set(entity, means[e * own.length + e]!));
  }
  return entityValues(found, entities);
}
