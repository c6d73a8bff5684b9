/** All orders of `items`. */
export function permutationsOf<T>(items: readonly T[]): T[][] {
  if (items.length === 0) return [[]];
  return items.flatMap((item, i) => permutationsOf(items.toSpliced(i, 1)).map((rest) => [item, ...rest]));
}

/** All sequences of `length` of `items`, each item as often as it comes. */
export function sequencesOf<T>(items: readonly T[], length: number): T[][] {
  if (length === 0) return [[]];
  return items.flatMap((item) => sequencesOf(items, length - 1).map((rest) => [item, ...rest]));
}

/** All subsets of `size` of `items`, in their order. */
export function subsetsOf<T>(items: readonly T[], size: number): T[][] {
  if (size === 0) return [[]];
  return items.flatMap((item, i) => subsetsOf(items.slice(i + 1), size - 1).map((rest) => [item, ...rest]));
}

/** All ways to split `items` into blocks of `size`, which divides their number; order does not count. */
export function partitionsOf<T>(items: readonly T[], size: number): T[][][] {
  const [first, ...others] = items;
  if (first === undefined) return [[]];
  return subsetsOf(others, size - 1).flatMap((mates) => {
    const rest = others.filter((item) => !mates.includes(item));
    return partitionsOf(rest, size).map((blocks) => [[first, ...mates], ...blocks]);
  });
}

/** `0 .. n - 1`. */
export function range(n: number): number[] {
  return Array.from({ length: n }, (_, i) => i);
}
