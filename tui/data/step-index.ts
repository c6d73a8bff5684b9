import type { TableReader } from '../../src/store/table-reader.js';

/** Finds the batches of a table, sorted by step, that hold given steps, by reading a few of them. */
export class StepIndex {
  readonly #first = new Map<number, number>();

  constructor(private readonly reader: TableReader) {}

  /** Batches `from` up to, not including, `to` that hold all rows with a step in `[first, last]`, and some others. */
  async batches(first: number, last: number): Promise<{ from: number; to: number }> {
    // A step may begin in the batch before the first one that starts with it.
    const from = Math.max(0, (await this.#bisect(first)) - 1);
    const to = await this.#bisect(last + 1);
    return { from, to: Math.max(from, to) };
  }

  /** The first batch whose first step is `step` or more. */
  async #bisect(step: number): Promise<number> {
    let [low, high] = [0, this.reader.batches.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((await this.#firstStep(middle)) < step) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  async #firstStep(batch: number): Promise<number> {
    const known = this.#first.get(batch);
    if (known !== undefined) return known;
    const view = (await this.reader.readBatch(batch, ['step'])).view('step');
    const first = view.kind === 'int32' ? (view.values[0] ?? Infinity) : Infinity;
    this.#first.set(batch, first);
    return first;
  }
}
