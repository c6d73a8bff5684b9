import { margins } from '../../inference/u-statistics/matched-contrast.js';
import type { EntityValues, EntityPanel, Side } from './panel.js';
import { perEntity } from './per-entity.js';
import type { Stratum } from './strata.js';

/**
 * Mean over all mismatched pairs of each entity with others of its tag (or with all others): half of its row mean plus
 * half of its column mean, so that the mean over entities is the mean over all mismatched pairs. In units of the
 * panel's products. The reason when no entity has a wrong partner or for a number that is not finite.
 */
export function mismatched<K extends string | number>(
  panel: EntityPanel<K>,
  rows: Side,
  columns: Side,
  within: Stratum = 'tag',
): EntityValues<K> | string {
  return perEntity(panel, rows, columns, within, 2, ({ entities, means }) => {
    const { rows: byRow, columns: byColumn } = margins(means, entities.length);
    return (e) => 0.5 * (byRow[e]! + byColumn[e]!);
  });
}

/**
 * Matched minus mismatched of each entity, `M_ee - (row mean + column mean) / 2` within its tag: the mean over entities
 * is the matched minus the mismatched mean. Positive trivially where both texts of an entity share a token. The reason
 * as for {@link mismatched}.
 */
export function matchedMinusMismatched<K extends string | number>(
  panel: EntityPanel<K>,
  rows: Side,
  columns: Side,
): EntityValues<K> | string {
  return perEntity(panel, rows, columns, 'tag', 2, ({ entities, means }) => {
    const { diagonal, rows: byRow, columns: byColumn } = margins(means, entities.length);
    return (e) => diagonal[e]! - 0.5 * (byRow[e]! + byColumn[e]!);
  });
}
