import type { EntityValues, EntityPanel, Side } from './panel.js';
import { perEntity } from './per-entity.js';

/**
 * Mean over the matched pairs of each entity, its definition with its own questions: not a null but what the others
 * stand beside. In units of the panel's products. The reason without a matched pair or for a number that is not
 * finite.
 */
export function matched<K extends string | number>(
  panel: EntityPanel<K>,
  rows: Side,
  columns: Side,
): EntityValues<K> | string {
  return perEntity(
    panel,
    rows,
    columns,
    'tag',
    1,
    ({ entities, means }) =>
      (e) =>
        means[e * entities.length + e]!,
  );
}
