/** Arrow's bitmap of `length` rows, least significant bit first, with the bits of all rows set. */
export function fullBitmap(length: number): Uint8Array {
  return bitmapOf(new Uint8Array(length).fill(1));
}

/** Clear the bit of one row. */
export function clearBit(bits: Uint8Array, row: number): void {
  bits[row >> 3] = (bits[row >> 3] ?? 0) & ~(1 << (row & 7));
}

/** Arrow's bitmap from one byte per row, 0 or 1. */
export function bitmapOf(bytes: Uint8Array): Uint8Array {
  const bits = new Uint8Array(Math.ceil(bytes.length / 8));
  for (let row = 0; row < bytes.length; row++) {
    bits[row >> 3] = (bits[row >> 3] ?? 0) | ((bytes[row] ?? 0) << (row & 7));
  }
  return bits;
}

/** One byte per row, 0 or 1, from Arrow's bitmap. */
export function bytesOf(bits: Uint8Array, length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  for (let row = 0; row < length; row++) bytes[row] = ((bits[row >> 3] ?? 0) >> (row & 7)) & 1;
  return bytes;
}
