import { printable, printableLines } from '../../data/printable.js';
import { fitText } from '../report/charts/text-width.js';
import type { ProgressTarget } from '../train/engine/setup/index.js';

/** Seconds between two plain lines where there is no terminal, and between two updates of the live line. */
const plainEvery = 5;
const liveEvery = 0.1;

/** One line that rewrites itself in a terminal, a line every few seconds elsewhere. */
export class StatusLine {
  private lastShown = -Infinity;
  private live = false;

  constructor(private readonly target: ProgressTarget) {}

  /** Seconds. */
  now(): number {
    return this.target.now() / 1000;
  }

  /**
   * Shows a text, made only if it is time for it.
   *
   * @param always also when the last one was just shown
   */
  show(text: () => string, always = false): void {
    const now = this.now();
    if (!always && now - this.lastShown < (this.target.isTerminal ? liveEvery : plainEvery)) return;
    this.lastShown = now;
    if (this.target.isTerminal) {
      this.live = true;
      const line = fitText(printable(text()), Math.max(20, this.target.columns - 1), '…').trimEnd();
      this.target.write(`\r\u001B[K${line}`);
    } else this.target.write(`${printable(text())}\n`);
  }

  /** Prints a message, leaving the live line intact below it. */
  message(text: string): void {
    this.target.write(`${this.live ? '\r\u001B[K' : ''}${printableLines(text)}\n`);
  }

  /** Ends the live line. */
  end(): void {
    if (this.live) this.target.write('\n');
    this.live = false;
    this.lastShown = -Infinity;
  }
}
