import { UserError } from '../../data/errors.js';
import { AppendFile } from './append-file.js';
import { encodeFooter, makeArrowSchema } from './arrow-types.js';
import type { Block } from './arrow-types.js';
import { BatchBuilder } from './batch-builder.js';
import { nodeFileSystem, systemMessage } from './file-system.js';
import type { FileSystem } from './file-system.js';
import { endOfStream } from './message-body.js';
import type { Framed } from './message-body.js';
import { DamagedError } from './table-index.js';
import type { TableReader } from './table-reader.js';

/** How the batches of a file are made. */
export interface ArrowFileOptions {
  readonly fs?: FileSystem;
  /** Small batches are joined up to this many rows, 65536 unless told. */
  readonly batchRows?: number;
  /** Small batches are joined up to this many bytes, 16 MiB unless told. */
  readonly batchBytes?: number;
}

const leading = new TextEncoder().encode('ARROW1\0\0');
const trailing = new TextEncoder().encode('ARROW1');
/** Large batches are copied in pieces of this many bytes. */
const pieceLength = 4 * 2 ** 20;

/**
 * Write the complete batches of a stream to a new file in the Arrow file format and bring it to the device. Takes the
 * memory of one joined batch, whatever the length of the stream. Throws a UserError when the device does not take the
 * file and a {@link DamagedError} when a batch cannot be decoded, and removes what was written then.
 */
export async function writeArrowFile(
  reader: TableReader,
  path: string,
  options: ArrowFileOptions = {},
): Promise<{ rows: number; batches: number }> {
  const { fs = nodeFileSystem, batchRows = 65_536, batchBytes = 2 ** 24 } = options;
  const file = new ArrowFile(reader, fs, path);
  try {
    await file.begin();
    for (const [i, block] of reader.batches.entries()) {
      // A batch that is large enough is copied as it is: decoding it would gain nothing.
      const isLarge = block.rows >= batchRows / 4 || block.bodyLength >= batchBytes / 4;
      await (isLarge ? file.copyBatch(block) : file.join(i, batchRows, batchBytes));
    }
    return file.end();
  } catch (error) {
    fs.remove(path);
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
  readonly #piece = new Uint8Array(pieceLength);
  #rows = 0;

  constructor(
    private readonly reader: TableReader,
    fs: FileSystem,
    path: string,
  ) {
    this.#out = new AppendFile(fs, path, `table ${reader.name}`, openReplacing(fs, path), 0);
    this.#pending = new BatchBuilder(reader.name, reader.columns);
  }

  /** Format fact: a file is a whole stream between the magic and the footer; apache-arrow leaves the schema away. */
  async begin(): Promise<void> {
    const { dictionaries, schemaLength } = this.reader.index;
    this.#out.append([leading]);
    await this.#copy(0, schemaLength);
    for (const block of dictionaries) this.#dictionaries.push(await this.#copyMessage(block));
  }

  async copyBatch(block: Block & { readonly rows: number }): Promise<void> {
    this.#flush();
    this.#batches.push(await this.#copyMessage(block));
    this.#rows += block.rows;
  }

  async join(batch: number, batchRows: number, batchBytes: number): Promise<void> {
    this.#pending.copy(await this.reader.readBatch(batch));
    if (this.#pending.rows >= batchRows || this.#pending.byteLength >= batchBytes) this.#flush();
  }

  end(): { rows: number; batches: number } {
    this.#flush();
    const schema = makeArrowSchema(this.reader.columns, this.reader.metadata);
    const footer = encodeFooter(schema, this.#dictionaries, this.#batches);
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
    const framed = this.#encode();
    this.#batches.push(this.#place(framed));
    this.#out.append(framed.chunks);
    this.#rows += rows;
    this.#pending.reset();
  }

  /** What a writer would have refused, as an index outside its dictionary, can only come from damage. */
  #encode(): Framed {
    try {
      return this.#pending.encode(this.#rows);
    } catch (error) {
      throw new DamagedError(this.reader.path, error);
    }
  }

  async #copyMessage(block: Block): Promise<Block> {
    const place = this.#place(block);
    await this.#copy(block.offset, block.metadataLength + block.bodyLength);
    return place;
  }

  #place({ metadataLength, bodyLength }: Pick<Framed, 'metadataLength' | 'bodyLength'>): Block {
    return { offset: this.#out.offset, metadataLength, bodyLength };
  }

  async #copy(from: number, length: number): Promise<void> {
    for (let done = 0; done < length; done += pieceLength) {
      const part = this.#piece.subarray(0, length - done);
      await this.reader.index.file.readInto(part, from + done);
      this.#out.append([part]);
    }
  }
}

function openReplacing(fs: FileSystem, path: string): number {
  try {
    return fs.open(path, 'replace');
  } catch (error) {
    throw new UserError(`${path}: cannot be created (${systemMessage(error)})`, { cause: error });
  }
}
