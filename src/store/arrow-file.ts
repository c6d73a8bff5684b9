import { UserError } from '../../data/errors.js';
import { AppendFile } from './append-file.js';
import { encodeFooter, makeArrowSchema } from './arrow-types.js';
import type { Block } from './arrow-types.js';
import { BatchBuilder } from './batch-builder.js';
import { withChecksums } from './checksums.js';
import { missingInt32 } from './column-views.js';
import type { ColumnSet } from './column-views.js';
import { nodeFileSystem, removeQuietly, systemMessage } from './file-system.js';
import type { FileSystem } from './file-system.js';
import { endOfStream } from './message-body.js';
import type { Framed } from './message-body.js';
import { dictionaryMessage } from './stream-header.js';
import type { Truncation } from './stream-scan.js';
import { bytesBefore, rowRange } from './row-ranges.js';
import { DamagedError } from './table-index.js';
import type { TableReader } from './table-reader.js';

/** How the batches of a file are made. */
export interface ArrowFileOptions {
  readonly fs?: FileSystem;
  /** A batch ends with this many rows; 65536 by default. */
  readonly batchRows?: number;
  /** A batch ends with the row that brings it to this many bytes; 16 MiB by default. */
  readonly batchBytes?: number;
  /** Whether the file ends before the first damaged batch, instead of being an error. */
  readonly stopAtDamage?: boolean;
}

/** What was written to a file. */
export interface WrittenFile {
  readonly rows: number;
  readonly batches: number;
  /** The batch of the stream before which the file ends, or null. */
  readonly damage: Truncation | null;
}

const leading = new TextEncoder().encode('ARROW1\0\0');
const trailing = new TextEncoder().encode('ARROW1');

/**
 * Write the complete batches of a stream to a new file in the Arrow file format and bring it to the device. Every batch
 * is read and checked first. Where batches end follows from the rows alone, not from the batches of the stream: those end
 * where a run was stopped and resumed. Takes the memory of one batch, whatever the length of the stream. Throws a UserError when the device does not take the file and a {@link DamagedError} for a batch that cannot be decoded or whose checksum
 * does not fit, unless the file shall end there; what was written is removed then.
 */
export async function writeArrowFile(
  reader: TableReader,
  path: string,
  options: ArrowFileOptions = {},
): Promise<WrittenFile> {
  const { fs = nodeFileSystem, batchRows = 65_536, batchBytes = 2 ** 24, stopAtDamage = false } = options;
  if (!reader.index.isOwn) {
    throw new UserError(
      `${reader.path}: was written by another program; only streams of gradscope are made files`,
    );
  }
  const file = new ArrowFile(reader, fs, path, { batchRows, batchBytes });
  try {
    await file.begin();
    let damage: Truncation | null = null;
    for (const [i, block] of reader.batches.entries()) {
      try {
        await file.append(i);
      } catch (error) {
        if (!stopAtDamage || !(error instanceof DamagedError)) throw error;
        damage = { atByte: block.offset, reason: error.reason };
        break;
      }
    }
    return { ...file.end(), damage };
  } catch (error) {
    removeQuietly(fs, path);
    throw error;
  } finally {
    file.close();
  }
}

/** The file that is being written: its blocks so far and the rows that are being joined. */
class ArrowFile {
  readonly #out: AppendFile;
  readonly #pending: BatchBuilder;
  readonly #dictionaries: Block[] = [];
  readonly #batches: Block[] = [];
  #pendingBytes = 0;
  #rows = 0;

  constructor(
    private readonly reader: TableReader,
    fs: FileSystem,
    path: string,
    private readonly limits: Required<Pick<ArrowFileOptions, 'batchRows' | 'batchBytes'>>,
  ) {
    this.#out = new AppendFile(fs, path, `table ${reader.name}`, openNew(fs, path), 0);
    this.#pending = new BatchBuilder(reader.name, reader.columns);
  }

  /**
   * Format fact: a file is a whole stream between the magic and the footer; apache-arrow leaves the schema away. A
   * dictionary that grew in the stream is one here: not every reader of files takes one in parts.
   */
  async begin(): Promise<void> {
    const { columns } = this.reader;
    this.#out.append([leading]);
    const { file, schemaLength } = this.reader.index;
    this.#out.append([await file.read(0, schemaLength)]);
    for (const column of columns) {
      if (column.kind !== 'dictionary') continue;
      const framed = dictionaryMessage(column);
      this.#dictionaries.push(this.#place(framed));
      this.#out.append(framed.chunks);
    }
  }

  /** Adds the rows of a batch of the stream. */
  async append(batch: number): Promise<void> {
    const columns = await this.reader.readBatch(batch);
    if (!this.reader.index.hasChecksums) requireValues(this.reader, columns);
    const bytes = bytesBefore(columns);
    for (let from = 0; from < columns.rows;) {
      const to = this.#endOfBatch(columns.rows, bytes, from);
      this.#pending.copy(rowRange(columns, from, to));
      this.#pendingBytes += bytes(to) - bytes(from);
      if (this.#isFull(this.#pending.rows, this.#pendingBytes)) this.#flush();
      from = to;
    }
  }

  #isFull(rows: number, bytes: number): boolean {
    return rows >= this.limits.batchRows || bytes >= this.limits.batchBytes;
  }

  /** The row before which the batch ends that is being filled from row `from` on; at most `rows`. */
  #endOfBatch(rows: number, bytes: (row: number) => number, from: number): number {
    const isFullAt = (row: number): boolean =>
      this.#isFull(this.#pending.rows + row - from, this.#pendingBytes + bytes(row) - bytes(from));
    // Bytes grow with rows: the first row at which it is full lies in (low, high], or there is none.
    let [low, high] = [from, rows];
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (isFullAt(middle)) high = middle;
      else low = middle;
    }
    return high;
  }

  end(): { rows: number; batches: number } {
    this.#flush();
    const schema = makeArrowSchema(this.reader.columns, this.reader.metadata);
    const unchecked = this.reader.index.hasChecksums ? 0 : 1;
    const footer = withChecksums(encodeFooter(schema, this.#dictionaries, this.#batches), [unchecked]);
    const length = new Uint8Array(4);
    new DataView(length.buffer).setInt32(0, footer.byteLength, true);
    this.#out.append([endOfStream, footer, length, trailing]);
    this.#out.sync();
    return { rows: this.#rows, batches: this.#batches.length };
  }

  close(): void {
    this.#out.close();
  }

  #flush(): void {
    const { rows } = this.#pending;
    if (rows === 0) return;
    const framed = this.#pending.encode(this.#rows);
    this.#batches.push(this.#place(framed));
    this.#out.append(framed.chunks);
    this.#rows += rows;
    this.#pending.reset();
    this.#pendingBytes = 0;
  }

  #place({ metadataLength, bodyLength }: Pick<Framed, 'metadataLength' | 'bodyLength'>): Block {
    return { offset: this.#out.offset, metadataLength, bodyLength };
  }
}

/** What a writer would have refused, in files without checksums, can only come from damage. */
function requireValues({ path, columns }: TableReader, set: ColumnSet): void {
  for (const { name, nullable } of columns) {
    const view = set.view(name);
    if (nullable || (view.kind !== 'float64' && view.kind !== 'float32' && view.kind !== 'int32')) continue;
    const missing = view.kind === 'int32' ? missingInt32 : Number.NaN;
    for (let row = 0; row < view.length; row++) {
      const value = view.values[row] ?? missing;
      if (value !== missing && !Number.isNaN(value)) continue;
      throw new DamagedError(path, new RangeError(`column ${name}, row ${row} of a batch: no value`));
    }
  }
}

function openNew(fs: FileSystem, path: string): number {
  try {
    return fs.open(path, 'new');
  } catch (error) {
    throw new UserError(`${path}: cannot be created (${systemMessage(error)})`, { cause: error });
  }
}
