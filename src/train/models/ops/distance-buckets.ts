/**
 * Buckets of T5's relative positions (Raffel et al. 2019): half of them hold one distance each, the others grow with its
 * logarithm up to `longest`; with `bothWays`, as many again for rows behind the query, else those share bucket 0.
 *
 * @param first position of the first query; row s is at position s
 * @returns `[query * row]`
 */
export function distanceBuckets(
  queries: number,
  rows: number,
  {
    buckets,
    longest,
    bothWays,
  }: { readonly buckets: number; readonly longest: number; readonly bothWays: boolean },
  first = 0,
): Int32Array {
  return Int32Array.from({ length: queries * rows }, (_, pair) => {
    const distance = (pair % rows) - (first + Math.floor(pair / rows));
    return bothWays
      ? (distance > 0 ? Math.floor(buckets / 2) : 0) +
          bucketOf(Math.abs(distance), Math.floor(buckets / 2), longest)
      : bucketOf(Math.max(0, -distance), buckets, longest);
  });
}

/** Rounded to float32 at every step, as the models were trained: a distance on the edge of two buckets is then in the same. */
function bucketOf(distance: number, buckets: number, longest: number): number {
  const exact = Math.floor(buckets / 2);
  if (distance < exact) return distance;
  const share = Math.fround(
    Math.fround(Math.log(Math.fround(distance / exact))) / Math.fround(Math.log(longest / exact)),
  );
  return Math.min(buckets - 1, exact + Math.trunc(Math.fround(share * (buckets - exact))));
}
