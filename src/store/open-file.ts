import fs from 'node:fs';
import { stat } from 'node:fs/promises';
import { promisify } from 'node:util';
import { UserError } from '../../data/errors.js';
import { interruptions, repeated, requireReadable, systemCode, systemMessage } from './file-system.js';

/** One call of the system reads less than 2 GiB. */
const maxRead = 1 << 30;

/**
 * Files that are kept open for reading at once. The others are opened again when they are read: a browser of hundreds of
 * runs looks into thousands of tables, and a process may often have no more than 256 files open.
 */
const mostOpen = 32;

/** Open files that nobody reads just now, the longest unused first. */
const idle = new Set<OpenFile>();
let openNow = 0;

/** Reads under way at once, each of which keeps a file open; others wait for their turn. */
const mostReading = 16;
let readingNow = 0;
const waiting: (() => void)[] = [];

/** A file for reading at any position, of any size; open while it is read, and longer while there are few others. */
export class OpenFile {
  #descriptor: number | null = null;
  #key: string | null = null;
  #readers = 0;
  #isClosed = false;

  private constructor(readonly path: string) {}

  /** Throws a UserError when the file cannot be opened, except when there is none: that gives null. */
  static async open(path: string): Promise<OpenFile | null> {
    try {
      requireReadable(path, await stat(path));
      const file = new OpenFile(path);
      file.#opened();
      return file;
    } catch (error) {
      if (systemCode(error) === 'ENOENT') return null;
      if (error instanceof UserError) throw error;
      throw new UserError(`${path}: cannot be opened (${systemMessage(error)})`, { cause: error });
    }
  }

  /** Length in bytes, and a key that tells this file from another one of its name. */
  async stat(): Promise<{ size: number; key: string }> {
    const found = fs.fstatSync(this.#opened());
    return { size: found.size, key: keyOf(found) };
  }

  /** Bytes from `position` on, fewer than `length` at the end of the file, read at once: for small pieces. */
  readNow(position: number, length: number): Uint8Array {
    const descriptor = this.#opened();
    const bytes = new Uint8Array(length);
    let end = 0;
    while (end < length) {
      const count = repeated(() =>
        fs.readSync(descriptor, bytes, end, Math.min(length - end, maxRead), position + end),
      );
      if (count === 0) break;
      end += count;
    }
    return bytes.subarray(0, end);
  }

  /** `length` bytes from `position` on. Throws a RangeError when the file ends before. */
  async read(position: number, length: number): Promise<Uint8Array> {
    const bytes = new Uint8Array(length);
    await this.readInto(bytes, position);
    return bytes;
  }

  /** Fill `bytes` from `position` on. Throws a RangeError when the file ends before. */
  async readInto(bytes: Uint8Array, position: number): Promise<void> {
    if (readingNow >= mostReading) await new Promise<void>((turn) => waiting.push(turn));
    else readingNow++;
    try {
      await this.#readWhole(bytes, position);
    } finally {
      const turn = waiting.shift();
      if (turn === undefined) readingNow--;
      else turn();
    }
  }

  async #readWhole(bytes: Uint8Array, position: number): Promise<void> {
    const descriptor = this.#opened();
    this.#readers++;
    idle.delete(this);
    try {
      for (let end = 0; end < bytes.length;) {
        const length = Math.min(bytes.length - end, maxRead);
        const bytesRead = await readSome(descriptor, bytes, end, length, position + end);
        if (bytesRead === 0) throw new RangeError(`the file ends at byte ${position + end}`);
        end += bytesRead;
      }
    } finally {
      this.#readers--;
      if (this.#isClosed) this.#giveUp();
      else if (this.#readers === 0) idle.add(this);
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#giveUp();
  }

  /** The descriptor, opened again if need be; of another file that has its name by now a UserError. */
  #opened(): number {
    if (this.#isClosed) throw new Error(`${this.path}: is read after it was closed`);
    if (this.#descriptor === null) {
      for (const longest of idle) {
        if (openNow < mostOpen) break;
        longest.#giveUp();
      }
      this.#descriptor = repeated(() => fs.openSync(this.path, 'r'));
      openNow++;
      const key = keyOf(fs.fstatSync(this.#descriptor));
      this.#key ??= key;
      if (this.#key !== key) {
        this.#giveUp();
        throw new UserError(`${this.path}: was replaced while it was read; read it again`);
      }
    }
    if (this.#readers === 0) {
      idle.delete(this);
      idle.add(this);
    }
    return this.#descriptor;
  }

  #giveUp(): void {
    if (this.#readers > 0 || this.#descriptor === null) return;
    idle.delete(this);
    fs.closeSync(this.#descriptor);
    this.#descriptor = null;
    openNow--;
  }
}

const keyOf = ({ dev, ino }: fs.Stats): string => `${dev}:${ino}`;

const readBytes = promisify(fs.read);

/** Bytes that one call of the system reads, which a signal may interrupt: libuv does not repeat it. */
async function readSome(
  descriptor: number,
  bytes: Uint8Array,
  offset: number,
  length: number,
  position: number,
): Promise<number> {
  for (let left = interruptions; ; left--) {
    try {
      return (await readBytes(descriptor, bytes, offset, length, position)).bytesRead;
    } catch (error) {
      if (systemCode(error) !== 'EINTR' || left === 0) throw error;
    }
  }
}

/** Milliseconds after which {@link paced} lets other work go on. */
const slice = 10;

/**
 * Run through a generator in slices, so that an index of any size does not keep a screen from answering. Gives what
 * the generator returns.
 */
export async function paced<T, R>(
  steps: Iterator<T, R, undefined>,
  each: (value: T) => void,
  now: () => number = () => performance.now(),
): Promise<R> {
  let started = now();
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
    each(step.value);
    if (now() - started < slice) continue;
    await new Promise((resolve) => setImmediate(resolve));
    started = now();
  }
}
