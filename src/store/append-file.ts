import { UserError } from '../../data/errors.js';
import { systemCode, systemMessage } from './file-system.js';
import type { FileSystem } from './file-system.js';
import { byteLengthOf } from './message-body.js';
import { adviceFor } from './system-error.js';

/** A file that only grows, and only by whole pieces: a piece that cannot be written in full is taken back. */
export class AppendFile {
  #offset: number;
  #fd: number | null;

  /** `subject` names the content in messages (`table gradients`); `fd` is owned from here on. */
  constructor(
    private readonly fs: FileSystem,
    readonly path: string,
    private readonly subject: string,
    fd: number,
    offset: number,
  ) {
    this.#fd = fd;
    this.#offset = offset;
  }

  /** Length of what has been written in full, in bytes. */
  get offset(): number {
    return this.#offset;
  }

  /**
   * Write the chunks behind each other at the end; they are with the operating system when this returns, and the
   * caller may change them. When that fails the file is cut back to where it was and a UserError says so; anything
   * but a system error is thrown as it is, after the same cut.
   */
  append(chunks: readonly Uint8Array[]): void {
    const fd = this.#open();
    let rest: readonly Uint8Array[] = chunks.filter((chunk) => chunk.byteLength > 0);
    let position = this.#offset;
    try {
      while (rest.length > 0) {
        const written = this.fs.write(fd, rest, position);
        // A device that takes nothing and reports nothing would keep this loop for ever.
        if (written <= 0) throw Object.assign(new Error('EIO: nothing was written'), { code: 'EIO' });
        position += written;
        rest = skip(rest, written);
      }
    } catch (error) {
      throw this.#failure(fd, byteLengthOf(chunks), error);
    }
    this.#offset = position;
  }

  /** Bring what is written to the device. Throws a UserError when the device fails. */
  sync(): void {
    try {
      this.fs.sync(this.#open());
    } catch (error) {
      throw new UserError(
        `${this.subject}: ${this.path} could not be brought to the device (${systemMessage(error)}); ${adviceFor(systemCode(error))}, then resume the run`,
        { cause: error },
      );
    }
  }

  /**
   * Throws a UserError when the file was removed, or its name given to another one, while it was written: what is
   * appended from then on is lost.
   */
  requireNamed(): void {
    if (this.fs.isAt(this.#open(), this.path)) return;
    throw new UserError(
      `${this.subject}: ${this.path} was removed or replaced while it was written; what was written since is lost`,
    );
  }

  /**
   * Close the file; a second call does nothing. Throws a UserError when the device says only now that it did not take
   * what was written, as network file systems and quotas do.
   */
  close(): void {
    if (this.#fd === null) return;
    const fd = this.#fd;
    this.#fd = null;
    try {
      this.fs.close(fd);
    } catch (error) {
      throw new UserError(
        `${this.subject}: ${this.path} could not be closed (${systemMessage(error)}); ${adviceFor(systemCode(error))}, then resume the run`,
        { cause: error },
      );
    }
  }

  #open(): number {
    if (this.#fd === null) throw new Error(`${this.subject}: ${this.path} is closed`);
    return this.#fd;
  }

  #failure(fd: number, bytes: number, error: unknown): unknown {
    let state = `the file was cut back to its ${this.#offset} complete bytes`;
    try {
      this.fs.truncate(fd, this.#offset);
    } catch (second) {
      state = `cutting the file back to its ${this.#offset} complete bytes failed too (${systemMessage(second)}), readers ignore the rest`;
    }
    if (systemCode(error) === undefined) return error;
    return new UserError(
      `${this.subject}: ${bytes} bytes could not be written to ${this.path} (${systemMessage(error)}); ${state}; ${adviceFor(systemCode(error))}, then resume the run`,
      { cause: error },
    );
  }
}

function skip(chunks: readonly Uint8Array[], bytes: number): readonly Uint8Array[] {
  let left = bytes;
  for (const [i, chunk] of chunks.entries()) {
    if (left < chunk.byteLength) return [chunk.subarray(left), ...chunks.slice(i + 1)];
    left -= chunk.byteLength;
  }
  return [];
}
