import type { ParsedBatch } from './message-parser.js';
import type { FileColumn } from './schema-parser.js';

/** The part of a batch that holds one column. */
export interface ColumnPart {
  readonly column: FileColumn;
  readonly rows: number;
  readonly nullCount: number;
  /** Length of the child of a list, 0 for other kinds. */
  readonly childLength: number;
  readonly regions: ParsedBatch['regions'];
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

  /** Offsets in region 1 of `rows` lists or strings within `length` values. */
  offsets(rows: number, length: number): Int32Array {
    // Format fact: a batch without rows may leave the offsets away.
    if (rows === 0) return new Int32Array(1);
    const offsets = this.int32(1, rows + 1);
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
