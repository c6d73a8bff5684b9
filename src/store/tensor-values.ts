/** Types whose numbers can be read, with their bytes; all become float32. */
const readable = { F32: 4, F16: 2, BF16: 2 } as const;

export type ReadableType = keyof typeof readable;

export function isReadableType(dtype: string): dtype is ReadableType {
  return Object.hasOwn(readable, dtype);
}

/** Bytes of a number. */
export function bytesOfType(dtype: ReadableType): number {
  return readable[dtype];
}

/** Numbers of a tensor, little-endian in `bytes`, as float32 from `first` on in `target`. */
export function decodeNumbers(bytes: Uint8Array, dtype: ReadableType, target: Float32Array, first = 0): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const count = bytes.byteLength / readable[dtype];
  if (dtype === 'F32') {
    for (let i = 0; i < count; i++) target[first + i] = view.getFloat32(4 * i, true);
    return;
  }
  const halves = dtype === 'F16' ? numbersOfHalves() : noNumbers;
  const bits = new Uint32Array(target.buffer, target.byteOffset, target.length);
  for (let i = 0; i < count; i++) {
    const half = view.getUint16(2 * i, true);
    // A bfloat16 is the upper half of a float32.
    if (dtype === 'BF16') bits[first + i] = half << 16;
    else target[first + i] = halves[half]!;
  }
}

const noNumbers = new Float32Array(0);
let table: Float32Array | null = null;

/** Numbers of all 65,536 halves: a look-up is ten times faster than powers of two. */
function numbersOfHalves(): Float32Array {
  table ??= Float32Array.from({ length: 1 << 16 }, (_, half) => halfToNumber(half));
  return table;
}

/** IEEE 754 binary16: 1 sign, 5 exponent and 10 fraction bits. */
function halfToNumber(half: number): number {
  const sign = half & 0x8000 ? -1 : 1;
  const exponent = (half >> 10) & 0x1f;
  const fraction = half & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction === 0 ? sign * Infinity : NaN;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}
