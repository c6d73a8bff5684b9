/** A p-value and its place in the family. */
export interface FamilyMember {
  readonly p: number;
  readonly index: number;
}

/** The p-values that are there, ascending. Throws a RangeError for one outside [0, 1]. */
export function presentPValues(pValues: readonly (number | null)[]): readonly FamilyMember[] {
  const family = pValues.flatMap((p, index) => (p === null ? [] : [{ p, index }]));
  for (const { p } of family) if (!(p >= 0 && p <= 1)) throw new RangeError(`no p-value: ${p}`);
  return family.sort((a, b) => a.p - b.p);
}

/** `adjusted`, in the order of `family`, back in their places; null elsewhere. */
export function restore(
  length: number,
  family: readonly FamilyMember[],
  adjusted: readonly number[],
): (number | null)[] {
  const result = new Array<number | null>(length).fill(null);
  for (const [i, { index }] of family.entries()) result[index] = adjusted[i]!;
  return result;
}
