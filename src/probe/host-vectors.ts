/** Vectors on the host, summed in float64. */

/** Inner product. */
export function dotOf(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let sum = 0;
  for (let p = 0; p < a.length; p++) sum += a[p]! * b[p]!;
  return sum;
}

/** Adds `other` to `target` in place. */
export function addTo(target: Float64Array, other: Float64Array): void {
  for (let p = 0; p < target.length; p++) target[p]! += other[p]!;
}
