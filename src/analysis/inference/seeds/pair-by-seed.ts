/** Values of two arms, brought together by seed. */
export interface SeedPairs<K> {
  /** The seeds that both arms have, in the order of the first arm. */
  readonly seeds: readonly K[];
  readonly treated: readonly number[];
  readonly control: readonly number[];
  /** Seeds that only one arm has: they take no part, and a report must say so. */
  readonly unpaired: readonly K[];
}

/**
 * Pairs the values of two arms by the key of the seed, never by position: the arms may list their seeds in any
 * order and lack some.
 *
 * @example pairBySeed(new Map([[1, 10], [2, 20]]), new Map([[2, 5], [3, 6]])) // seeds [2], treated [20], control [5]
 */
export function pairBySeed<K>(
  treated: ReadonlyMap<K, number>,
  control: ReadonlyMap<K, number>,
): SeedPairs<K> {
  const pairs = [...treated].flatMap(([seed, value]) => {
    const other = control.get(seed);
    return other === undefined ? [] : [{ seed, value, other }];
  });
  return {
    seeds: pairs.map((pair) => pair.seed),
    treated: pairs.map((pair) => pair.value),
    control: pairs.map((pair) => pair.other),
    unpaired: [
      ...[...treated.keys()].filter((seed) => !control.has(seed)),
      ...[...control.keys()].filter((seed) => !treated.has(seed)),
    ],
  };
}
