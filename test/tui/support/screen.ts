import { Terminal } from '@xterm/headless';
import { asStreams, FakeStdin, FakeStdout } from './streams.js';

/** A terminal emulator with the streams of a process in it. */
export class Screen {
  readonly #terminal: Terminal;
  readonly #out: FakeStdout;
  readonly #in = new FakeStdin();

  constructor(width: number, height: number) {
    const terminal = new Terminal({ cols: width, rows: height, scrollback: 100, allowProposedApi: true });
    this.#terminal = terminal;
    this.#out = new FakeStdout(
      () => ({ columns: terminal.cols, rows: terminal.rows }),
      // A terminal in raw mode, whose driver still turns \n into \r\n.
      (text) => terminal.write(text.replaceAll(/\r?\n/g, '\r\n')),
    );
  }

  get streams(): ReturnType<typeof asStreams> {
    return asStreams(this.#out, this.#in);
  }

  /** All that was written so far, escapes and all. */
  get written(): string {
    return this.#out.written;
  }

  get size(): { readonly width: number; readonly height: number } {
    return { width: this.#terminal.cols, height: this.#terminal.rows };
  }

  write(text: string): void {
    this.#out.write(text);
  }

  type(text: string): void {
    this.#in.type(text);
  }

  onResize(listener: () => void): void {
    this.#out.on('resize', listener);
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
