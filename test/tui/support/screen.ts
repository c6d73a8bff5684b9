import { EventEmitter } from 'node:events';
import { Terminal } from '@xterm/headless';

/** What of a terminal's output stream Ink uses. */
class FakeStdout extends EventEmitter {
  readonly isTTY = true;
  written = '';

  constructor(private readonly terminal: Terminal) {
    super();
  }

  get columns(): number {
    return this.terminal.cols;
  }

  get rows(): number {
    return this.terminal.rows;
  }

  write(text: string): boolean {
    this.written += text;
    // A terminal in raw mode, whose driver still turns \n into \r\n.
    this.terminal.write(text.replaceAll(/\r?\n/g, '\r\n'));
    return true;
  }
}

/** What of a terminal's input stream Ink uses: keys are read in pieces. */
class FakeStdin extends EventEmitter {
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

/** A terminal emulator with the streams of a process in it. */
export class Screen {
  readonly #terminal: Terminal;
  readonly #out: FakeStdout;
  readonly #in = new FakeStdin();

  constructor(width: number, height: number) {
    this.#terminal = new Terminal({ cols: width, rows: height, scrollback: 100, allowProposedApi: true });
    this.#out = new FakeStdout(this.#terminal);
  }

  /** The streams as Ink takes them: it uses no more of them than they have. */
  get stdout(): NodeJS.WriteStream {
    return this.#out as unknown as NodeJS.WriteStream;
  }

  get stdin(): NodeJS.ReadStream {
    return this.#in as unknown as NodeJS.ReadStream;
  }

  /** All that was written so far, escapes and all. */
  get written(): string {
    return this.#out.written;
  }

  write(text: string): void {
    this.#out.write(text);
  }

  type(text: string): void {
    this.#in.type(text);
  }

  resize(width: number, height: number): void {
    this.#terminal.resize(width, height);
    this.#out.emit('resize');
  }

  /** What a person sees, without blanks at the ends. */
  async lines(): Promise<string[]> {
    await new Promise<void>((done) => this.#terminal.write('', done));
    const { active } = this.#terminal.buffer;
    return Array.from({ length: this.#terminal.rows }, (_, row) =>
      (active.getLine(active.viewportY + row)?.translateToString(true) ?? '').trimEnd(),
    );
  }

  /** Whether the alternate screen is on. */
  get isAlternate(): boolean {
    return this.#terminal.buffer.active.type === 'alternate';
  }

  dispose(): void {
    this.#terminal.dispose();
  }
}
