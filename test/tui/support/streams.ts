import { EventEmitter } from 'node:events';

/** What of a terminal's output stream Ink uses. */
export class FakeStdout extends EventEmitter {
  readonly isTTY = true;
  /** All that was written so far, escapes and all. */
  written = '';

  constructor(
    private readonly size: () => { readonly columns: number; readonly rows: number },
    private readonly sink: (text: string) => void = () => {},
  ) {
    super();
  }

  get columns(): number {
    return this.size().columns;
  }

  get rows(): number {
    return this.size().rows;
  }

  write(text: string): boolean {
    this.written += text;
    this.sink(text);
    return true;
  }
}

/** What of a terminal's input stream Ink uses: keys are read in pieces. */
export class FakeStdin extends EventEmitter {
  readonly isTTY = true;
  readonly #pieces: string[] = [];

  setEncoding(): void {}
  setRawMode(): void {}
  ref(): void {}
  unref(): void {}
  resume(): void {}
  pause(): void {}

  read(): string | null {
    return this.#pieces.shift() ?? null;
  }

  type(text: string): void {
    this.#pieces.push(text);
    this.emit('readable');
    this.emit('data', text);
  }
}

/** The streams as Ink takes them: it uses no more of them than they have. */
export const asStreams = (stdout: FakeStdout, stdin: FakeStdin) => ({
  stdout: stdout as unknown as NodeJS.WriteStream,
  stdin: stdin as unknown as NodeJS.ReadStream,
});
