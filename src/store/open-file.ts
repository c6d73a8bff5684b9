import { readSync } from 'node:fs';
import { open, stat } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { UserError } from '../../data/errors.js';
import { requireReadable, systemCode, systemMessage } from './file-system.js';

/** One call of the system reads less than 2 GiB. */
const maxRead = 1 << 30;

/** A file opened for reading at any position, of any size. */
export class OpenFile {
  private constructor(
    readonly path: string,
    private readonly handle: FileHandle,
  ) {}

  /** Throws a UserError when the file cannot be opened, except when there is none: that gives null. */
  static async open(path: string): Promise<OpenFile | null> {
    try {
      requireReadable(path, await stat(path));
      return new OpenFile(path, await open(path, 'r'));
    } catch (error) {
      if (systemCode(error) === 'ENOENT') return null;
      throw new UserError(`${path}: cannot be opened (${systemMessage(error)})`, { cause: error });
    }
  }

  /** Length in bytes, and a key that tells this file from another one of its name. */
  async stat(): Promise<{ size: number; key: string }> {
    const { size, ino, dev } = await this.handle.stat();
    return { size, key: `${dev}:${ino}` };
  }

  /** Bytes from `position` on, fewer than `length` at the end of the file, read at once: for small pieces. */
  readNow(position: number, length: number): Uint8Array {
    const bytes = new Uint8Array(length);
    let end = 0;
    while (end < length) {
      const count = readSync(this.handle.fd, bytes, end, Math.min(length - end, maxRead), position + end);
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
    for (let end = 0; end < bytes.length;) {
      const length = Math.min(bytes.length - end, maxRead);
      const { bytesRead } = await this.handle.read(bytes, end, length, position + end);
      if (bytesRead === 0) throw new RangeError(`the file ends at byte ${position + end}`);
      end += bytesRead;
    }
  }

  async close(): Promise<void> {
    await this.handle.close();
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
