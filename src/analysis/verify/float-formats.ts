/** Rounds a float32 to the nearest float16 (ties to even), as a number. */
export function toFloat16(value: number): number {
  const size = Math.abs(value);
  if (size === 0 || !Number.isFinite(value)) return value;
  const exponent = Math.max(-14, Math.floor(Math.log2(size)));
  const unit = 2 ** (exponent - 10);
  // Adding and taking away 1.5 * 2^52 rounds a float64 to an integer, ties to even.
  const rounded = (value / unit + 1.5 * 2 ** 52 - 1.5 * 2 ** 52) * unit;
  return Math.abs(rounded) > 65_504 ? Math.sign(value) * Infinity : rounded;
}

/** The numbers rounded to bfloat16, the upper half of a float32 (ties to even). */
export function toBfloat16(values: Float32Array): Float32Array {
  const bits = new Uint32Array(values.slice().buffer);
  for (let i = 0; i < bits.length; i++) {
    const word = bits[i]!;
    bits[i] = (word + 0x7fff + ((word >>> 16) & 1)) & 0xffff0000;
  }
  return new Float32Array(bits.buffer);
}

/** The numbers as 8-bit integers of their block's largest size / 127, and back. */
export function throughInt8(values: Float32Array, block = 64): Float32Array {
  const result = new Float32Array(values.length);
  for (let from = 0; from < values.length; from += block) {
    const own = values.subarray(from, from + block);
    const unit = own.reduce((most, value) => Math.max(most, Math.abs(value)), 0) / 127;
    own.forEach((value, i) => {
      result[from + i] = unit === 0 ? 0 : Math.round(value / unit) * unit;
    });
  }
  return result;
}
