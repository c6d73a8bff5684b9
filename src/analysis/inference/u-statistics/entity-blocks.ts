import { assertEqualLength } from '../check.js';

/** Pairwise quantities averaged to one number a pair of entities. */
export interface EntityBlocks<K> {
  /** Entities of the rows (definitions), in order of appearance. */
  readonly rows: readonly K[];
  /** Entities of the columns (QA pairs), in order of appearance. */
  readonly columns: readonly K[];
  /** `[rows, columns]` mean over the examples of the two entities. */
  readonly means: Float64Array;
}

/**
 * Averages `products` (`[rowEntities.length, columnEntities.length]`, row by row: definition example by QA example)
 * over the examples of each entity. Entities are matched by key, never by position, and count equally whatever
 * their number of examples. Throws a RangeError when the number of products does not fit.
 *
 * @example entityBlocks([1, 2, 3], ['a'], ['a', 'b', 'b']) // rows ['a'], columns ['a', 'b'], means [1, 2.5]
 */
export function entityBlocks<K extends string | number>(
  products: ArrayLike<number>,
  rowEntities: readonly K[],
  columnEntities: readonly K[],
): EntityBlocks<K> {
  const cells = rowEntities.length * columnEntities.length;
  if (products.length !== cells) {
    const shape = `${rowEntities.length} times ${columnEntities.length}`;
    throw new RangeError(`${products.length} products, not ${shape}`);
  }
  const rows = [...new Set(rowEntities)];
  const columns = [...new Set(columnEntities)];
  const rowIndex = positions(rowEntities, rows);
  const columnIndex = positions(columnEntities, columns);
  const means = new Float64Array(rows.length * columns.length);
  const counts = new Float64Array(means.length);
  for (let i = 0; i < rowEntities.length; i++) {
    for (let j = 0; j < columnEntities.length; j++) {
      const cell = rowIndex[i]! * columns.length + columnIndex[j]!;
      means[cell]! += products[i * columnEntities.length + j]!;
      counts[cell]! += 1;
    }
  }
  for (let cell = 0; cell < means.length; cell++) means[cell]! /= counts[cell]!;
  return { rows, columns, means };
}

function positions<K>(keys: readonly K[], among: readonly K[]): readonly number[] {
  const index = new Map(among.map((key, i) => [key, i]));
  return keys.map((key) => index.get(key)!);
}

/** Blocks whose rows and columns are the same entities in the same order. */
export interface MatchedBlocks<K> {
  readonly entities: readonly K[];
  /** `[n, n]` row by row; the diagonal is the matched pairs. */
  readonly means: Float64Array;
}

/** The blocks of the entities that both sides have, in the order of the rows. */
export function matchedBlocks<K>(blocks: EntityBlocks<K>): MatchedBlocks<K> {
  const columnOf = new Map(blocks.columns.map((key, j) => [key, j]));
  const kept = blocks.rows.flatMap((key, row) => {
    const column = columnOf.get(key);
    return column === undefined ? [] : [{ key, row, column }];
  });
  const means = Float64Array.from(
    kept.flatMap(({ row }) => kept.map(({ column }) => blocks.means[row * blocks.columns.length + column]!)),
  );
  return { entities: kept.map(({ key }) => key), means };
}

/** Matched blocks of a plain `[n, n]` matrix. Throws a RangeError when it is not square. */
export function squareBlocks(means: ArrayLike<number>): MatchedBlocks<number> {
  const n = Math.round(Math.sqrt(means.length));
  assertEqualLength('a square matrix and its numbers', { length: n * n }, means);
  return { entities: Array.from({ length: n }, (_, i) => i), means: Float64Array.from(means) };
}
