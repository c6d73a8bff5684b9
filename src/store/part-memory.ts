import { checksumOf } from './checksums.js';
import type { ParsedBatch } from './message-parser.js';
import { ownEncoding } from './schema-parser.js';
import type { Encoding, FileColumn } from './schema-parser.js';

const readers = {
  int1: (view: DataView, at: number) => view.getInt8(at),
  uint1: (view: DataView, at: number) => view.getUint8(at),
  int2: (view: DataView, at: number) => view.getInt16(at, true),
  uint2: (view: DataView, at: number) => view.getUint16(at, true),
  int4: (view: DataView, at: number) => view.getInt32(at, true),
  uint4: (view: DataView, at: number) => view.getUint32(at, true),
  int8: (view: DataView, at: number) => Number(view.getBigInt64(at, true)),
  uint8: (view: DataView, at: number) => Number(view.getBigUint64(at, true)),
} as const;

/** The part of a batch that holds one column. */
export interface ColumnPart {
  readonly column: FileColumn;
  readonly rows: number;
  readonly nullCount: number;
  /** Length of the child of a list, 0 for other kinds. */
  readonly childLength: number;
  readonly regions: ParsedBatch['regions'];
  /** Checksum of the regions, one after the other; null where the writer gave none. */
  readonly checksum: number | null;
  /** Bytes of the body that hold all of the column's regions: from `start` up to `end`. */
  readonly start: number;
  readonly end: number;
}

/** The regions of one column as typed arrays, checked against the bytes that are there. */
export class PartMemory {
  constructor(
    private readonly part: ColumnPart,
    private readonly memory: Uint8Array,
  ) {}

  /** Throws a RangeError where the bytes are not those that were written. */
  requireChecksum(): void {
    const { checksum, regions } = this.part;
    if (checksum === null) return;
    const found = regions.reduce(
      (sum, { length }, region) => (length === 0 ? sum : checksumOf(this.bytes(region, length), sum)),
      0,
    );
    if (found !== checksum) throw new RangeError(`the checksum of ${this.#name()} does not fit its bytes`);
  }

  bytes(region: number, length: number): Uint8Array {
    const at = this.#at(region, length);
    return new Uint8Array(this.memory.buffer, at, length);
  }

  int32(region: number, length: number): Int32Array {
    return new Int32Array(this.memory.buffer, this.#at(region, length * 4), length);
  }

  float32(region: number, length: number): Float32Array {
    return new Float32Array(this.memory.buffer, this.#at(region, length * 4), length);
  }

  float64(region: number, length: number): Float64Array {
    return new Float64Array(this.memory.buffer, this.#at(region, length * 8), length);
  }

  /** Whole numbers of any width, as int32. Throws a RangeError for one that is too large. */
  integers(region: number, length: number, { indexBytes, indexSigned }: Encoding): Int32Array {
    if (indexBytes === 4 && indexSigned) return this.int32(region, length);
    const at = this.#at(region, length * indexBytes);
    const view = new DataView(this.memory.buffer, at, length * indexBytes);
    const read = readers[`${indexSigned ? 'int' : 'uint'}${indexBytes}`];
    return Int32Array.from({ length }, (_, i) => {
      const value = read(view, i * indexBytes);
      if (value > 2 ** 31 - 1 || value < -(2 ** 31)) throw new RangeError(`${value} in ${this.#name()}`);
      return value;
    });
  }

  /** Offsets in region 1 of `rows` lists or strings within `length` values. */
  offsets(rows: number, length: number, large = false): Int32Array {
    // Format fact: a batch without rows may leave the offsets away.
    if (rows === 0) return new Int32Array(1);
    const offsets = this.integers(1, rows + 1, { ...ownEncoding, indexBytes: large ? 8 : 4 });
    let last = 0;
    for (const offset of offsets) {
      if (offset < last || offset > length) throw new RangeError(`an offset of ${offset} in ${this.#name()}`);
      last = offset;
    }
    return offsets;
  }

  length(region: number): number {
    return this.part.regions[region]?.length ?? 0;
  }

  #at(region: number, length: number): number {
    const { offset = 0, length: there = 0 } = this.part.regions[region] ?? {};
    const start = there === 0 ? 0 : offset - this.part.start;
    if (length > there || start + length > this.memory.byteLength) {
      throw new RangeError(`${there} bytes where ${this.#name()} needs ${length}`);
    }
    return this.memory.byteOffset + start;
  }

  #name(): string {
    return `column ${this.part.column.name}`;
  }
}
