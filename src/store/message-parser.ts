/**
 * Reads the flatbuffer of an Arrow message by hand. Indexing a stream needs three numbers of each message and reading
 * a batch needs its regions; apache-arrow decodes every message into objects with BigInt fields for that.
 */
import type { BatchLayout } from './arrow-types.js';

/** What a message holds. */
export type MessageKind = 'schema' | 'dictionary' | 'batch';

/** A record batch's or a dictionary's layout, as its message states it. */
export interface ParsedBatch extends BatchLayout {
  readonly compressed: boolean;
}

export interface ParsedDictionary {
  readonly id: number;
  /** Whether the values come after those that the dictionary already has. */
  readonly isDelta: boolean;
  readonly batch: ParsedBatch;
}

// Format fact: numbers of the union MessageHeader in Message.fbs.
const kinds: Readonly<Record<number, MessageKind>> = { 1: 'schema', 2: 'dictionary', 3: 'batch' };

/** Slots of the tables in Message.fbs. */
const slots = {
  message: { kind: 1, header: 2, bodyLength: 3 },
  batch: { rows: 0, nodes: 1, regions: 2, compression: 3 },
  dictionary: { id: 0, batch: 1, isDelta: 2 },
} as const;

/** A message; its parts are read from the flatbuffer when asked for. */
export class ParsedMessage {
  readonly kind: MessageKind;
  readonly bodyLength: number;
  readonly #view: DataView;
  readonly #header: number;

  /** `flatbuffer` is the message without its prefix. Throws a RangeError when it is none. */
  constructor(readonly flatbuffer: Uint8Array) {
    this.#view = new DataView(flatbuffer.buffer, flatbuffer.byteOffset, flatbuffer.byteLength);
    const root = this.#view.getUint32(0, true);
    const kindAt = this.#slot(root, slots.message.kind);
    const kind = kinds[kindAt === 0 ? 0 : this.#view.getUint8(kindAt)];
    const headerAt = this.#slot(root, slots.message.header);
    if (kind === undefined || headerAt === 0) throw new RangeError('a message of unknown kind');
    this.kind = kind;
    this.#header = this.#target(headerAt);
    this.bodyLength = this.#long(this.#slot(root, slots.message.bodyLength));
  }

  /** Rows of a record batch, 0 for other messages. */
  get rows(): number {
    return this.kind === 'batch' ? this.#long(this.#slot(this.#header, slots.batch.rows)) : 0;
  }

  /** Layout of a record batch. Throws a RangeError when the message holds none. */
  batch(): ParsedBatch {
    if (this.kind !== 'batch') throw new RangeError(`a ${this.kind} message where a batch should be`);
    return this.#batch(this.#header);
  }

  /** A dictionary's id and layout. Throws a RangeError when the message holds none. */
  dictionary(): ParsedDictionary {
    if (this.kind !== 'dictionary')
      throw new RangeError(`a ${this.kind} message where a dictionary should be`);
    const { id, batch, isDelta } = slots.dictionary;
    const deltaAt = this.#slot(this.#header, isDelta);
    return {
      id: this.#long(this.#slot(this.#header, id)),
      isDelta: deltaAt !== 0 && this.#view.getUint8(deltaAt) !== 0,
      batch: this.#batch(this.#target(this.#slot(this.#header, batch))),
    };
  }

  #batch(table: number): ParsedBatch {
    const { rows, nodes, regions, compression } = slots.batch;
    return {
      rows: this.#long(this.#slot(table, rows)),
      nodes: this.#pairs(table, nodes, (length, nullCount) => ({ length, nullCount })),
      regions: this.#pairs(table, regions, (offset, length) => ({ offset, length })),
      bodyLength: this.bodyLength,
      compressed: this.#slot(table, compression) !== 0,
    };
  }

  /** Position of a table's field, 0 when the field is left at its default. */
  #slot(table: number, slot: number): number {
    const vtable = table - this.#view.getInt32(table, true);
    const at = 4 + 2 * slot;
    if (at + 2 > this.#view.getUint16(vtable, true)) return 0;
    const offset = this.#view.getUint16(vtable + at, true);
    return offset === 0 ? 0 : table + offset;
  }

  #target(at: number): number {
    return at + this.#view.getUint32(at, true);
  }

  #long(at: number): number {
    if (at === 0) return 0;
    const value = Number(this.#view.getBigInt64(at, true));
    if (value < 0 || !Number.isSafeInteger(value)) throw new RangeError(`a length of ${value}`);
    return value;
  }

  /** A vector of structs of two int64. */
  #pairs<T>(table: number, slot: number, make: (first: number, second: number) => T): T[] {
    const field = this.#slot(table, slot);
    if (field === 0) return [];
    const vector = this.#target(field);
    const count = this.#view.getUint32(vector, true);
    const pairs: T[] = [];
    for (let i = 0, at = vector + 4; i < count; i++, at += 16) {
      pairs.push(make(this.#long(at), this.#long(at + 8)));
    }
    return pairs;
  }
}
