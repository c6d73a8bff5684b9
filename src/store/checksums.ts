import { crc32 } from 'node:zlib';

/**
 * Checksums of a message: CRC-32 (of zlib, IEEE 802.3) of its metadata, and of the buffers of each column, one after the
 * other without their padding. They lie within the length of the metadata, behind the flatbuffer, where the Arrow
 * format has padding that no reader looks at:
 *
 *     flatbuffer, zeros to 8 bytes | a checksum per column, zeros to 8 bytes | checksum of all before | columns | magic
 *
 * with uint32 little-endian numbers and the 8 bytes `gs-crc32`. A checksum per column lets a reader of some columns check
 * what it reads without reading the rest.
 */
const magic = new TextEncoder().encode('gs-crc32');

/** Checksum of the metadata, number of columns, magic. */
const tailLength = 16;

/** The metadata of a message, a footer's flatbuffer too, with checksums behind it; a multiple of 8 bytes. */
export function withChecksums(flatbuffer: Uint8Array, columns: readonly number[]): Uint8Array {
  const listAt = align8(flatbuffer.byteLength);
  const tailAt = listAt + align8(4 * columns.length);
  const bytes = new Uint8Array(tailAt + tailLength);
  bytes.set(flatbuffer);
  const view = new DataView(bytes.buffer);
  for (const [i, checksum] of columns.entries()) view.setUint32(listAt + 4 * i, checksum, true);
  view.setUint32(tailAt, crc32(bytes.subarray(0, tailAt)), true);
  view.setUint32(tailAt + 4, columns.length, true);
  bytes.set(magic, tailAt + 8);
  return bytes;
}

/**
 * Checksums of the columns at the end of a message's metadata; null where there are none, as in files of other programs
 * and of earlier versions. Throws a RangeError where that of the metadata does not fit.
 */
export function checksumsIn(metadata: Uint8Array): Uint32Array | null {
  const tailAt = metadata.byteLength - tailLength;
  if (tailAt < 0 || !magic.every((byte, i) => metadata[tailAt + 8 + i] === byte)) return null;
  const view = new DataView(metadata.buffer, metadata.byteOffset, metadata.byteLength);
  const count = view.getUint32(tailAt + 4, true);
  const listAt = tailAt - align8(4 * count);
  if (listAt < 0 || crc32(metadata.subarray(0, tailAt)) !== view.getUint32(tailAt, true)) {
    throw new RangeError('its checksum does not fit its metadata');
  }
  return Uint32Array.from({ length: count }, (_, i) => view.getUint32(listAt + 4 * i, true));
}

/** The checksum of bytes that follow those of an earlier checksum; 0 where none were before. */
export function checksumOf(bytes: Uint8Array, before = 0): number {
  return crc32(bytes, before);
}

/** Next multiple of 8: Arrow pads metadata and every buffer to it. */
export function align8(length: number): number {
  return Math.ceil(length / 8) * 8;
}
