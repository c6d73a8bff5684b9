import { UserError } from '../errors.js';

/** Images of a file in the IDX format of the MNIST database. */
export interface IdxImages {
  readonly count: number;
  readonly rows: number;
  readonly columns: number;
  /** `[count, rows, columns]`, 0 black to 255 white. */
  readonly pixels: Uint8Array;
}

const imagesMagic = 2051;
const labelsMagic = 2049;

/**
 * Parses a file of images: big-endian magic number 2051, count, rows, columns, then one byte a pixel (LeCun, Cortes and
 * Burges, "The MNIST database of handwritten digits"). `file` names it in messages.
 * Throws a UserError for another magic number and for a length that is not the one its header says.
 */
export function parseIdxImages(file: string, bytes: Uint8Array): IdxImages {
  const [count, rows, columns] = readHeader(file, bytes, imagesMagic, 'images', 3) as [
    number,
    number,
    number,
  ];
  return { count, rows, columns, pixels: bytes.subarray(16) };
}

/** Parses a file of labels: magic number 2049, count, one byte per label. Throws as {@link parseIdxImages} does. */
export function parseIdxLabels(file: string, bytes: Uint8Array): Uint8Array {
  readHeader(file, bytes, labelsMagic, 'labels', 1);
  return bytes.subarray(8);
}

/** The sizes after the magic number; checks that their product is the number of bytes that follow. */
function readHeader(
  file: string,
  bytes: Uint8Array,
  magic: number,
  what: string,
  dimensions: number,
): number[] {
  const header = 4 * (1 + dimensions);
  if (bytes.length < header) {
    throw new UserError(
      `${file}: has ${bytes.length} bytes, too few for an IDX file of ${what}; fetch it again`,
    );
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, header);
  const found = view.getUint32(0);
  if (found !== magic) {
    throw new UserError(
      `${file}: is no IDX file of ${what} (it starts with ${found}, expected ${magic}); give a folder of MNIST files`,
    );
  }
  const sizes = Array.from({ length: dimensions }, (_, i) => view.getUint32(4 * (i + 1)));
  const expected = header + sizes.reduce((product, size) => product * size, 1);
  if (bytes.length !== expected) {
    throw new UserError(
      `${file}: has ${bytes.length} bytes, but its header says ${expected} (${sizes.join(' x ')}); fetch it again`,
    );
  }
  return sizes;
}
