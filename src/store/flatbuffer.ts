/**
 * A table of a flatbuffer, read by hand. Every read is checked against the end of the bytes and throws a RangeError
 * behind it. apache-arrow's own decoder does not check: in a damaged file it takes any number for a length and loops
 * over it, and it makes objects with BigInt fields of messages of which an index needs three numbers.
 */
export class FlatTable {
  constructor(
    private readonly view: DataView,
    private readonly at: number,
  ) {}

  /** The table that a flatbuffer consists of. */
  static root(bytes: Uint8Array): FlatTable {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    return new FlatTable(view, view.getUint32(0, true));
  }

  /** Whether a field is there; one that is left out has its default. */
  has(slot: number): boolean {
    return this.#field(slot) !== 0;
  }

  uint8(slot: number): number {
    const at = this.#field(slot);
    return at === 0 ? 0 : this.view.getUint8(at);
  }

  int16(slot: number): number {
    const at = this.#field(slot);
    return at === 0 ? 0 : this.view.getInt16(at, true);
  }

  int32(slot: number): number {
    const at = this.#field(slot);
    return at === 0 ? 0 : this.view.getInt32(at, true);
  }

  /** An int64 that is a length or a place: neither negative nor above 2^53. */
  length(slot: number): number {
    const at = this.#field(slot);
    return at === 0 ? 0 : this.#length(at);
  }

  table(slot: number): FlatTable | null {
    const at = this.#field(slot);
    return at === 0 ? null : new FlatTable(this.view, this.#target(at));
  }

  /** A vector of tables; empty when it is left out. */
  tables(slot: number): FlatTable[] {
    return this.#vector(slot, 4, (at) => new FlatTable(this.view, this.#target(at)));
  }

  /** A vector of structs of `size` bytes; `make` gets a reader of the int64 or int32 at an offset of the struct. */
  structs<T>(slot: number, size: number, make: (long: Reader, int: Reader) => T): T[] {
    return this.#vector(slot, size, (at) =>
      make(
        (offset) => this.#length(at + offset),
        (offset) => this.view.getInt32(at + offset, true),
      ),
    );
  }

  text(slot: number): string {
    const field = this.#field(slot);
    if (field === 0) return '';
    const at = this.#target(field);
    const length = this.view.getUint32(at, true);
    if (at + 4 + length > this.view.byteLength) throw new RangeError(`a text of ${length} bytes`);
    return new TextDecoder().decode(new Uint8Array(this.view.buffer, this.view.byteOffset + at + 4, length));
  }

  #field(slot: number): number {
    const vtable = this.at - this.view.getInt32(this.at, true);
    const entry = 4 + 2 * slot;
    if (entry + 2 > this.view.getUint16(vtable, true)) return 0;
    const offset = this.view.getUint16(vtable + entry, true);
    return offset === 0 ? 0 : this.at + offset;
  }

  #target(at: number): number {
    return at + this.view.getUint32(at, true);
  }

  #length(at: number): number {
    const value = Number(this.view.getBigInt64(at, true));
    if (value < 0 || !Number.isSafeInteger(value)) throw new RangeError(`a length of ${value}`);
    return value;
  }

  #vector<T>(slot: number, size: number, make: (at: number) => T): T[] {
    const field = this.#field(slot);
    if (field === 0) return [];
    const at = this.#target(field);
    const count = this.view.getUint32(at, true);
    if (at + 4 + count * size > this.view.byteLength) throw new RangeError(`a vector of ${count} entries`);
    return Array.from({ length: count }, (_, i) => make(at + 4 + i * size));
  }
}

type Reader = (offset: number) => number;
