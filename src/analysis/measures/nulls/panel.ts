import { entityBlocks, matchedBlocks } from '../../inference/u-statistics/entity-blocks.js';
import type { EntityBlocks, MatchedBlocks } from '../../inference/u-statistics/entity-blocks.js';
import type { Gram } from '../gram.js';

/** What one example of a panel is. */
export interface PanelExample<K extends string | number> {
  /** The variable it is about: what examples are matched by, never their place. */
  readonly entity: K;
  /** Tag (or subset) it belongs to; of a tag-swapped definition the tag that it shows. */
  readonly tag: string;
  /** `definition`, `qa`, `entity_swap`, ... */
  readonly kind: string;
}

/** Inner products of the gradients of a panel's examples, or their cosines (`cosineGram`). */
export interface EntityPanel<K extends string | number> {
  readonly gram: Gram;
  /** `[example]`, as many as the Gram matrix has. */
  readonly examples: readonly PanelExample<K>[];
}

/** Which examples are on one side of the pairs. */
export interface Side {
  readonly kind: string;
  /** Every tag by default. */
  readonly tag?: string;
}

/** One number an entity: a seed's row for `hierarchicalMean` and `tagFlipTest`. */
export interface EntityValues<K> {
  readonly entities: readonly K[];
  /** `[entity]`, in the order of `entities`. */
  readonly values: readonly number[];
  /** Entities of the rows that have no value, because they lack a partner or are alone with their tag. */
  readonly leftOut: readonly K[];
}

/**
 * Indices of the examples of a side. Throws a RangeError when the panel does not describe each example of its Gram
 * matrix.
 */
export function examplesOf<K extends string | number>(
  { gram, examples }: EntityPanel<K>,
  { kind, tag }: Side,
): readonly number[] {
  if (examples.length !== gram.size) {
    throw new RangeError(`${examples.length} examples described, ${gram.size} in the Gram matrix`);
  }
  return examples.flatMap((example, i) =>
    example.kind === kind && (tag === undefined || example.tag === tag) ? [i] : [],
  );
}

/** Mean over the examples of each pair of entities, rows by columns. */
export function panelBlocks<K extends string | number>(
  panel: EntityPanel<K>,
  rows: Side,
  columns: Side,
): EntityBlocks<K> {
  const [own, other] = [examplesOf(panel, rows), examplesOf(panel, columns)];
  const products = own.flatMap((i) => other.map((j) => panel.gram.at(i, j)));
  const entity = (i: number): K => panel.examples[i]!.entity;
  return entityBlocks(products, own.map(entity), other.map(entity));
}

/** The blocks of entities that are on both sides, ready for `matchingTest`. */
export function matchingBlocks<K extends string | number>(
  panel: EntityPanel<K>,
  rows: Side,
  columns: Side,
): MatchedBlocks<K> {
  return matchedBlocks(panelBlocks(panel, rows, columns));
}

/**
 * {@link EntityValues} of entities and their numbers. The reason when there is none or one is not finite.
 *
 * @param all entities of the rows, with or without a number
 */
export function entityValues<K>(found: ReadonlyMap<K, number>, all: Iterable<K>): EntityValues<K> | string {
  if (found.size === 0) return 'no entity has a pair';
  for (const [entity, value] of found) {
    if (!Number.isFinite(value)) return `the value of ${String(entity)} is ${value}`;
  }
  return {
    entities: [...found.keys()],
    values: [...found.values()],
    leftOut: [...new Set(all)].filter((entity) => !found.has(entity)),
  };
}
