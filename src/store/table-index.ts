import { UserError } from '../../data/errors.js';
import type { Block } from './arrow-types.js';
import { decodeDictionary } from './column-decoder.js';
import { systemCode, systemMessage } from './file-system.js';
import { formatVersion, metadataKeys } from './format.js';
import { ParsedMessage } from './message-parser.js';
import { paced } from './open-file.js';
import type { OpenFile } from './open-file.js';
import { parseFooter, parseSchema } from './schema-parser.js';
import type { FileColumn, ParsedSchema } from './schema-parser.js';
import { scanStream } from './stream-scan.js';
import type { ScannedMessage, Truncation } from './stream-scan.js';

/** A record batch of a table and where it lies. */
export interface BatchBlock extends Block {
  readonly rows: number;
  /** Number of the batch's first row within the table. */
  readonly firstRow: number;
}

/** What is known of a table without reading its rows. */
export class TableIndex {
  readonly columns: readonly FileColumn[];
  readonly metadata: ReadonlyMap<string, string>;
  readonly dictionaries: Block[] = [];
  readonly batches: BatchBlock[] = [];
  rows = 0;
  /** Bytes of the stream that are complete messages; 0 for a file. */
  end = 0;
  /** Length of the stream when it was last looked at; 0 for a file. */
  size = 0;
  /** Bytes of a stream's first message, which holds the schema; 0 for a file. */
  schemaLength = 0;
  readonly #filled = new Set<number>();
  truncated: Truncation | null = null;

  /**
   * Throws a UserError when the schema is not that of a table of ours, of a newer format version, or of column types
   * that the store does not read.
   */
  constructor(
    readonly file: OpenFile,
    readonly fileKey: string,
    { columns, metadata, unsupported }: ParsedSchema,
  ) {
    const version = Number(metadata.get(metadataKeys.version));
    if (!Number.isSafeInteger(version) || !metadata.has(metadataKeys.table)) {
      throw new UserError(
        `${file.path}: an Arrow file, but no table of gradscope (its schema metadata hold no ${metadataKeys.version})`,
      );
    }
    if (version > formatVersion) {
      throw new UserError(
        `${file.path}: format version ${version} is newer than ${formatVersion}, the newest that this gradscope reads; update gradscope`,
      );
    }
    if (unsupported.length > 0) {
      throw new UserError(`${file.path}: columns of types that are not read: ${unsupported.join(', ')}`);
    }
    this.columns = columns;
    this.metadata = metadata;
  }

  /** Take in a dictionary or batch message. `body` reads the message's body. */
  add(found: ScannedMessage, body: () => Uint8Array): void {
    const { offset, metadataLength, bodyLength, message, rows } = found;
    if (message.kind === 'batch') {
      this.batches.push({ offset, metadataLength, bodyLength, rows, firstRow: this.rows });
      this.rows += rows;
    } else if (message.kind === 'dictionary') {
      const { id, isDelta, batch } = message.dictionary();
      const values = decodeDictionary(batch, body());
      for (const column of this.columns) {
        if (column.dictionaryId !== id) continue;
        if (!isDelta && column.values.length > 0) {
          throw new UserError(
            `${this.file.path}: column ${column.name} has two dictionaries; only one is read`,
          );
        }
        column.values.push(...values);
      }
      this.dictionaries.push({ offset, metadataLength, bodyLength });
      this.#filled.add(id);
    } else {
      throw new UserError(`${this.file.path}: a second schema at byte ${offset}`);
    }
  }

  /** Whether every dictionary of the schema has its values; a stream that was cut very early lacks some. */
  get hasDictionaries(): boolean {
    return this.columns.every(
      ({ kind, dictionaryId }) => kind !== 'dictionary' || this.#filled.has(dictionaryId),
    );
  }

  /** Take in the messages of a stream from `start` on, which are not known yet. */
  async scan(start: number, size: number): Promise<void> {
    const { file } = this;
    const steps = scanStream((position, length) => file.readNow(position, length), start, size);
    const { end, truncated } = await paced(steps, (found) => {
      const bodyAt = found.offset + found.metadataLength;
      this.add(found, () => file.readNow(bodyAt, found.bodyLength));
      // Counted one by one: after a message that is refused, another scan must not take in those before it again.
      this.end = bodyAt + found.bodyLength;
    });
    this.end = end;
    this.size = size;
    this.truncated = truncated;
  }

  /** Whether the batch that is the last one known still lies in the stream, by its place and its lengths. */
  lastBatchStands(size: number): boolean {
    const last = this.batches.at(-1);
    if (last === undefined) return true;
    const { file } = this;
    const found = scanStream((position, length) => file.readNow(position, length), last.offset, size).next();
    return (
      found.done !== true &&
      found.value.rows === last.rows &&
      found.value.metadataLength === last.metadataLength &&
      found.value.bodyLength === last.bodyLength
    );
  }
}

/** Index of a stream, which may be growing or cut. Throws a UserError when its schema cannot be read. */
export async function indexStream(file: OpenFile): Promise<TableIndex> {
  return guarded(file.path, async () => {
    const { size, key } = await file.stat();
    const first = scanStream((position, length) => file.readNow(position, length), 0, size).next();
    if (first.done === true) {
      const reason = size === 0 ? 'the file is empty' : (first.value.truncated?.reason ?? 'it has no schema');
      throw new UserError(`${file.path}: not a table, or cut within its schema (${reason})`);
    }
    const { message } = first.value;
    if (message.kind !== 'schema') throw new RangeError(`it begins with a ${message.kind} message`);
    const index = new TableIndex(file, key, parseSchema(message.header));
    index.schemaLength = first.value.metadataLength + first.value.bodyLength;
    await index.scan(index.schemaLength, size);
    return index;
  });
}

const magic = 'ARROW1';
/** Behind the footer lie its length (int32) and the magic. */
const tailLength = 4 + magic.length;

/** Index of a file with footer. Throws a UserError when it is damaged or no table of ours. */
export async function indexFile(file: OpenFile): Promise<TableIndex> {
  return guarded(file.path, async () => {
    const { size, key } = await file.stat();
    const tail = file.readNow(Math.max(0, size - tailLength), tailLength);
    if (size < 2 * tailLength || !endsWithMagic(file.readNow(0, magic.length)) || !endsWithMagic(tail)) {
      throw new UserError(`${file.path}: not an Arrow file, or cut off`);
    }
    const footerLength = new DataView(tail.buffer, tail.byteOffset).getInt32(0, true);
    const footerAt = size - tailLength - footerLength;
    if (footerLength <= 0 || footerAt < 8) throw new RangeError(`a footer of ${footerLength} bytes`);
    const footer = parseFooter(file.readNow(footerAt, footerLength));
    const index = new TableIndex(file, key, footer.schema);
    await paced([...footer.dictionaries, ...footer.batches].values(), (block) => {
      const end = block.offset + block.metadataLength + block.bodyLength;
      if (end > footerAt) throw new RangeError(`a batch that ends at byte ${end}`);
      const message = new ParsedMessage(file.readNow(block.offset + 8, block.metadataLength - 8));
      index.add({ ...block, message, rows: message.rows }, () =>
        file.readNow(block.offset + block.metadataLength, block.bodyLength),
      );
    });
    return index;
  });
}

function endsWithMagic(bytes: Uint8Array): boolean {
  return new TextDecoder().decode(bytes).endsWith(magic);
}

/** A file whose bytes are not what gradscope writes; reading it again will not help. */
export class DamagedError extends UserError {
  constructor(path: string, cause: unknown) {
    super(`${path}: damaged, or not as gradscope writes it (${systemMessage(cause)})`, { cause });
  }
}

/**
 * Run something that decodes a file. What the system refuses is thrown as a UserError that names the file, every other
 * error as a {@link DamagedError}: bytes that are no table make decoders throw errors of several classes.
 */
export async function guarded<T>(path: string, decode: () => Promise<T>): Promise<T> {
  try {
    return await decode();
  } catch (error) {
    if (error instanceof UserError) throw error;
    if (systemCode(error) === undefined) throw new DamagedError(path, error);
    throw new UserError(`${path}: cannot be read (${systemMessage(error)})`, { cause: error });
  }
}
