/**
 * CountSketch of gradients (Charikar, Chen & Farach-Colton 2002): coordinate p of a tensor is added, with sign
 * s(p), to bucket h(p) of `size` buckets. Inner products of sketches are unbiased for those of the vectors, with
 * variance at most `(|g|^2 |h|^2 + (g . h)^2) / size`; a cosine c comes out with a standard deviation of about
 * `(1 - c^2) / sqrt(size)`.
 *
 * A sketch is linear: the sketch of a sum is the sum of sketches, and the sketches of a model's tensors, each with
 * its own hash, add up to the sketch of the whole gradient. Two sketches compare only if family, seed, size and
 * tensor names agree.
 */
export interface Sketcher {
  readonly size: number;
  /** Adds the sketch of `values`, the tensor's numbers row-major, to `target` `[size]`. */
  add(values: ArrayLike<number>, target: Float64Array): void;
}

/** Name of the hash, stored with every sketch; changes if the golden vectors ever do. */
export const sketchFamily = 'countsketch-murmur3-1';

/**
 * @param tensor name of the parameter, which seeds its hash
 * @param length numbers of the tensor
 */
export function createSketcher(tensor: string, length: number, size: number, seed: number): Sketcher {
  const tensorSeed = mix(hashText(tensor) ^ mix(seed | 0));
  // Bucket and sign come from different bits of a 32-bit hash, in integer arithmetic: bit-exact everywhere.
  const bucketOf = new Int32Array(length);
  const signOf = new Int8Array(length);
  for (let p = 0; p < length; p++) {
    const hash = mix(Math.imul(p, 0x9e3779b1) ^ tensorSeed) >>> 0;
    bucketOf[p] = (hash >>> 1) % size;
    signOf[p] = (hash & 1) === 0 ? 1 : -1;
  }
  return {
    size,
    add: (values, target) => {
      if (values.length !== length || target.length !== size) {
        throw new RangeError(`sketch of ${tensor}: ${values.length} numbers into ${target.length} buckets`);
      }
      for (let p = 0; p < length; p++) target[bucketOf[p]!]! += signOf[p]! * values[p]!;
    },
  };
}

/** Finaliser of MurmurHash3: every input bit changes every output bit with probability near 1/2. */
function mix(value: number): number {
  let h = value;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return h ^ (h >>> 16);
}

/** FNV-1a over UTF-16 code units. */
function hashText(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return hash;
}
