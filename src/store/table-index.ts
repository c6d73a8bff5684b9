import { UserError } from '../../data/errors.js';
import type { Block } from './arrow-types.js';
import { decodeDictionary, impossibleRows } from './column-decoder.js';
import { systemCode, systemMessage } from './file-system.js';
import { ForeignFormatError } from './foreign-format.js';
import { formatVersion, metadataKeys } from './format.js';
import { ParsedMessage } from './message-parser.js';
import { paced } from './open-file.js';
import type { OpenFile } from './open-file.js';
import { parseFooter, parseSchema } from './schema-parser.js';
import type { CheckedMessages, ColumnLayout, FileColumn, ParsedSchema } from './schema-parser.js';
import { isBefore015, scanStream } from './stream-scan.js';
import type { ScanEnd, ScannedMessage, Truncation } from './stream-scan.js';
import { adviceFor } from './system-error.js';

/** A record batch of a table and where it lies. */
export interface BatchBlock extends Block {
  readonly rows: number;
  /** Number of the batch's first row within the table. */
  readonly firstRow: number;
}

/** What is known of a table without reading its rows. */
export class TableIndex {
  readonly layout: readonly ColumnLayout[];
  /** The columns that are read. */
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
   * `checked` tells which messages have checksums. Throws a UserError when the schema is not that of a table of ours,
   * of a newer format version, or has no column that is read.
   */
  constructor(
    readonly file: OpenFile,
    readonly fileKey: string,
    { layout, metadata }: ParsedSchema,
    private readonly checked: CheckedMessages,
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
    this.layout = layout;
    this.columns = layout.flatMap(({ column }) => column ?? []);
    this.metadata = metadata;
    if (this.columns.length === 0) {
      const types = layout.map(({ name, type }) => `${name} (${type})`).join(', ');
      throw new UserError(`${file.path}: has no column of a type that is read: ${types || 'no columns'}`);
    }
  }

  /** Name of the table, as its file says. */
  get table(): string {
    return this.metadata.get(metadataKeys.table) ?? '';
  }

  /** Whether the schema is as gradscope writes it, so that batches can be copied as they are. */
  get isOwn(): boolean {
    return this.layout.every(
      ({ column }) =>
        column !== null &&
        !column.encoding.large &&
        column.encoding.indexBytes === 4 &&
        column.encoding.indexSigned,
    );
  }

  /** Whether every message has checksums; files of other programs and of earlier versions have none. */
  get hasChecksums(): boolean {
    return this.checked === 'all';
  }

  /** Take in a dictionary or batch message. `body` reads the message's body. */
  add(found: ScannedMessage, body: () => Uint8Array): void {
    const { offset, metadataLength, bodyLength, message, rows } = found;
    const damage = this.damageOf(found);
    if (damage !== null) throw new RangeError(damage);
    if (message.kind === 'batch') {
      this.batches.push({ offset, metadataLength, bodyLength, rows, firstRow: this.rows });
      this.rows += rows;
    } else if (message.kind === 'dictionary') {
      const { id, isDelta, batch } = message.dictionary();
      const own = this.columns.filter((column) => column.dictionaryId === id);
      // That of a column which is passed over may hold anything.
      const large = own.some((column) => column.encoding.large);
      const values = own.length === 0 ? [] : decodeDictionary(batch, body(), large);
      for (const column of own) {
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

  /** Why a message cannot be one of this table; null where nothing speaks against it. */
  damageOf({ message, rows, bodyLength }: ScannedMessage): string | null {
    if (this.checked === 'all' && message.checksums === null) return 'a message without its checksums';
    if (this.checked === 'none' && message.checksums !== null) return 'a footer without its checksum';
    return message.kind === 'batch' ? impossibleRows(this.layout, { rows, bodyLength }) : null;
  }

  /** Whether every dictionary of the schema has its values; a stream that was cut very early lacks some. */
  get hasDictionaries(): boolean {
    return this.columns.every(
      ({ kind, dictionaryId }) => kind !== 'dictionary' || this.#filled.has(dictionaryId),
    );
  }

  /** Take in the messages of a stream from `start` on, which are not known yet, up to the first that is damaged. */
  async scan(start: number, size: number): Promise<void> {
    const { file } = this;
    const steps = scanStream((position, length) => file.readNow(position, length), start, size);
    const { end, truncated } = await paced(
      untilDamaged(steps, (found) => this.damageOf(found)),
      (found) => {
        const bodyAt = found.offset + found.metadataLength;
        this.add(found, () => file.readNow(bodyAt, found.bodyLength));
        // Counted one by one: after a message that is refused, another scan must not take in those before it again.
        this.end = bodyAt + found.bodyLength;
      },
    );
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

/** The messages of a scan that end, as at a cut, before the first one with something wrong. */
function* untilDamaged(
  steps: Generator<ScannedMessage, ScanEnd, undefined>,
  damageOf: (found: ScannedMessage) => string | null,
): Generator<ScannedMessage, ScanEnd, undefined> {
  for (let step = steps.next(); ; step = steps.next()) {
    if (step.done === true) return step.value;
    const reason = damageOf(step.value);
    const { offset } = step.value;
    if (reason !== null) return { end: offset, ended: false, truncated: { atByte: offset, reason } };
    yield step.value;
  }
}

/** Index of a stream, which may be growing or cut. Throws a UserError when its schema cannot be read. */
export async function indexStream(file: OpenFile): Promise<TableIndex> {
  return guarded(file.path, async () => {
    const { size, key } = await file.stat();
    const first = scanStream((position, length) => file.readNow(position, length), 0, size).next();
    if (first.done === true) {
      refuseOld(file.readNow(0, Math.min(size, maxOldSchema)));
      const reason = size === 0 ? 'the file is empty' : (first.value.truncated?.reason ?? 'it has no schema');
      throw new UserError(`${file.path}: not a table, or cut within its schema (${reason})`);
    }
    const { message } = first.value;
    if (message.kind !== 'schema') throw new RangeError(`it begins with a ${message.kind} message`);
    const index = new TableIndex(
      file,
      key,
      parseSchema(message.header),
      message.checksums === null ? 'some' : 'all',
    );
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
    const index = new TableIndex(file, key, footer.schema, footer.checked);
    await paced([...footer.dictionaries, ...footer.batches].values(), (block) => {
      const end = block.offset + block.metadataLength + block.bodyLength;
      if (end > footerAt) throw new RangeError(`a batch that ends at byte ${end}`);
      const metadata = file.readNow(block.offset, block.metadataLength);
      refuseOld(metadata);
      const message = new ParsedMessage(metadata.subarray(8));
      index.add({ ...block, message, rows: message.rows }, () =>
        file.readNow(block.offset + block.metadataLength, block.bodyLength),
      );
    });
    return index;
  });
}

/** A schema of an old stream is looked for in so many bytes. */
const maxOldSchema = 2 ** 20;

function refuseOld(bytes: Uint8Array): void {
  if (isBefore015(bytes)) {
    throw new ForeignFormatError('in the format of Arrow before 0.15; write it again with a newer one');
  }
}

function endsWithMagic(bytes: Uint8Array): boolean {
  return new TextDecoder().decode(bytes).endsWith(magic);
}

/** A file whose bytes are not what gradscope writes; reading it again will not help. */
export class DamagedError extends UserError {
  /** What is wrong, without the path. */
  readonly reason: string;

  constructor(path: string, cause: unknown) {
    const reason = systemMessage(cause);
    super(`${path}: damaged, or not as gradscope writes it (${reason})`, { cause });
    this.reason = reason;
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
    if (error instanceof ForeignFormatError)
      throw new UserError(`${path}: ${error.message}`, { cause: error });
    const code = systemCode(error);
    // Bytes that are no text make Node throw errors with codes of its own (ERR_...).
    if (code === undefined || code.startsWith('ERR_')) throw new DamagedError(path, error);
    throw new UserError(`${path}: cannot be read (${systemMessage(error)}); ${adviceFor(code)}`, {
      cause: error,
    });
  }
}
