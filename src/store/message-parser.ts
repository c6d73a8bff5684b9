import type { BatchLayout } from './arrow-types.js';
import { checksumsIn } from './checksums.js';
import { FlatTable } from './flatbuffer.js';

/** What a message holds. */
export type MessageKind = 'schema' | 'dictionary' | 'batch';

/** A record batch's or a dictionary's layout, as its message states it. */
export interface ParsedBatch extends BatchLayout {
  readonly compressed: boolean;
  /** Data buffers of each column of a view type, in order. */
  readonly viewBuffers: readonly number[];
  /** Checksum of each column; null where the writer gave none. */
  readonly checksums: Uint32Array | null;
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
const message = { kind: 1, header: 2, bodyLength: 3 } as const;
const batch = { rows: 0, nodes: 1, regions: 2, compression: 3, viewBuffers: 4 } as const;
const dictionary = { id: 0, batch: 1, isDelta: 2 } as const;

/** A message; its parts are read when they are asked for. */
export class ParsedMessage {
  readonly kind: MessageKind;
  readonly bodyLength: number;
  /** Table of the schema, dictionary or record batch. */
  readonly header: FlatTable;
  /** Checksum of each column of the body; null where the writer gave none. */
  readonly checksums: Uint32Array | null;

  /**
   * `metadata` is the message without its prefix and body. Throws a RangeError when it is none, and when its checksum
   * does not fit.
   */
  constructor(metadata: Uint8Array) {
    this.checksums = checksumsIn(metadata);
    const root = FlatTable.root(metadata);
    const kind = kinds[root.uint8(message.kind)];
    const header = root.table(message.header);
    if (kind === undefined || header === null) throw new RangeError('a message of unknown kind');
    this.kind = kind;
    this.header = header;
    this.bodyLength = root.length(message.bodyLength);
  }

  /** Rows of a record batch, 0 for other messages. */
  get rows(): number {
    return this.kind === 'batch' ? this.header.length(batch.rows) : 0;
  }

  /** Layout of a record batch. Throws a RangeError when the message holds none. */
  batch(): ParsedBatch {
    if (this.kind !== 'batch') throw new RangeError(`a ${this.kind} message where a batch should be`);
    return this.#layout(this.header);
  }

  /** A dictionary's id and layout. Throws a RangeError when the message holds none. */
  dictionary(): ParsedDictionary {
    const values = this.kind === 'dictionary' ? this.header.table(dictionary.batch) : null;
    if (values === null) throw new RangeError(`a ${this.kind} message where a dictionary should be`);
    return {
      id: this.header.length(dictionary.id),
      isDelta: this.header.uint8(dictionary.isDelta) !== 0,
      batch: this.#layout(values),
    };
  }

  #layout(table: FlatTable): ParsedBatch {
    return {
      rows: table.length(batch.rows),
      nodes: table.structs(batch.nodes, 16, (long) => ({ length: long(0), nullCount: long(8) })),
      regions: table.structs(batch.regions, 16, (long) => ({ offset: long(0), length: long(8) })),
      bodyLength: this.bodyLength,
      compressed: table.has(batch.compression),
      viewBuffers: table.structs(batch.viewBuffers, 8, (long) => long(0)),
      checksums: this.checksums,
    };
  }
}
