import { setImmediate } from 'node:timers/promises';
import type { GroupGradients } from '../../src/analysis/group-gradients.js';
import type { RunInfo } from '../../src/store/run-info.js';
import { groupColumnName } from '../../src/store/columns.js';
import { tables, totalTensor } from '../../src/store/schemas.js';
import type { TableReader } from '../../src/store/table-reader.js';
import { Growing } from './growing.js';
import type { RunTables } from './run-tables.js';

/** Milliseconds of scanning after which keys are answered. */
const slice = 5;

/** Rows of one table with `tensor = total`, gathered batch by batch. */
class TotalRows {
  readonly step = new Growing('int32');
  readonly a = new Growing('int32');
  readonly b = new Growing('int32');
  readonly x = new Growing('float64');
  readonly y = new Growing('float64');
  batches = 0;
  reader: TableReader | null = null;
  names: readonly string[] = [];
}

/** How far a scan is, in rows of both tables. */
export interface ScanProgress {
  readonly done: number;
  readonly all: number;
}

/**
 * Norms and inner products of the groups' gradients over a run, all tensors together. One pass over the batches keeps
 * the rows of the sum over tensors, one in some thirty; of a log that grows only new batches are read. Memory is that
 * of what is kept, whatever the size of the log.
 */
export class TotalsLog {
  #gradients = new TotalRows();
  #gram = new TotalRows();
  #scanning: Promise<GroupGradients | null> | null = null;
  #built: { readonly rows: number; readonly gradients: GroupGradients } | null = null;
  #progress: ScanProgress = { done: 0, all: 0 };

  constructor(private readonly source: RunTables) {}

  /** How far the scan under way is; done equals all when none is. */
  get progress(): ScanProgress {
    return this.#progress;
  }

  /** Bytes kept, about. */
  get keptBytes(): number {
    return [this.#gradients, this.#gram].reduce(
      (sum, { step, a, b, x, y }) => sum + [step, a, b, x, y].reduce((own, one) => own + one.bytes, 0),
      0,
    );
  }

  /** Reads what is new; null where the run has no gradient log of groups. */
  read(info: RunInfo): Promise<GroupGradients | null> {
    this.#scanning ??= this.#read(info).finally(() => (this.#scanning = null));
    return this.#scanning;
  }

  async #read(info: RunInfo): Promise<GroupGradients | null> {
    const gradients = await this.source.reader('gradients');
    const gram = await this.source.reader('gram');
    if (gradients === null || gram === null) return null;
    if (this.#gradients.reader !== gradients) this.#gradients = new TotalRows();
    if (this.#gram.reader !== gram) this.#gram = new TotalRows();
    this.#gradients.reader = gradients;
    this.#gram.reader = gram;
    this.#progress = { done: 0, all: gradients.rows + gram.rows };
    await this.#scan(this.#gradients, gradients, ['step', 'group', 'tensor', 'norm2', 'example_norm2']);
    await this.#scan(this.#gram, gram, ['step', 'group_a', 'group_b', 'tensor', 'inner']);
    this.#progress = { done: this.#progress.all, all: this.#progress.all };
    const { prefix } = tables.steps.groupColumns;
    const counts = info.groups.map((group) => groupColumnName(prefix, group));
    const steps = await this.source.columns('steps', ['step', 'batch_size', ...counts]);
    if (steps === null) return null;
    const rows = this.#gradients.step.length + this.#gram.step.length + steps.rows;
    if (this.#built?.rows === rows) return this.#built.gradients;
    const count = (column: string): Int32Array => steps.column(column, 'int32').values;
    const built = assemble(this.#gradients, this.#gram, count('step'), (group) => {
      if (group === 'minibatch') return count('batch_size');
      const place = info.groups.indexOf(group);
      return place < 0 ? null : count(counts[place]!);
    });
    this.#built = { rows, gradients: built };
    return built;
  }

  async #scan(kept: TotalRows, reader: TableReader, names: readonly string[]): Promise<void> {
    const [, groupA, groupB] = names;
    const isGram = groupB !== 'tensor';
    let started = performance.now();
    for (; kept.batches < reader.batches.length; kept.batches++) {
      const batch = await reader.readBatch(kept.batches, names);
      const tensor = batch.column('tensor', 'dictionary');
      const total = tensor.values.indexOf(totalTensor);
      const step = batch.column('step', 'int32').values;
      const a = batch.column(groupA!, 'dictionary');
      const b = isGram ? batch.column(groupB!, 'dictionary').indices : null;
      const x = batch.column(isGram ? 'inner' : 'norm2', 'float64').values;
      const y = isGram ? null : batch.column('example_norm2', 'float64').values;
      kept.names = a.values;
      for (let row = 0; row < batch.rows; row++) {
        if (tensor.indices[row] !== total) continue;
        kept.step.push(step[row]!);
        kept.a.push(a.indices[row]!);
        kept.x.push(x[row]!);
        if (b !== null) kept.b.push(b[row]!);
        if (y !== null) kept.y.push(y[row]!);
      }
      this.#progress = { done: this.#progress.done + batch.rows, all: this.#progress.all };
      if (performance.now() - started < slice) continue;
      await setImmediate();
      started = performance.now();
    }
  }
}

function assemble(
  gradients: TotalRows,
  gram: TotalRows,
  runStep: Int32Array,
  countsOf: (group: string) => Int32Array | null,
): GroupGradients {
  const logged = gradients.step.values;
  const steps: number[] = [];
  for (const step of logged) if (steps.at(-1) !== step) steps.push(step);
  const places = placesOf(Int32Array.from(new Set(steps)).sort());
  const empty = (): Float64Array => new Float64Array(places.steps.length).fill(NaN);
  // Series by the place of their name in the dictionary: a log has millions of rows, and a text per row takes seconds.
  const [norms, examples]: [Series, Series] = [[], []];
  const [group, norm2, exampleNorm2] = [gradients.a.values, gradients.x.values, gradients.y.values];
  for (let row = 0; row < logged.length; row++) {
    const name = group[row]!;
    const place = places.of(logged[row]!);
    (norms[name] ??= empty())[place] = norm2[row]!;
    (examples[name] ??= empty())[place] = exampleNorm2[row]!;
  }
  const products: Series = [];
  const count = gram.names.length;
  const [gramStep, a, b, inner] = [gram.step.values, gram.a.values, gram.b.values, gram.x.values];
  for (let row = 0; row < gramStep.length; row++) {
    const place = places.of(gramStep[row]!);
    if (place >= 0) (products[pairOf(a[row]!, b[row]!, count)] ??= empty())[place] = inner[row]!;
  }
  const ofGroup = (all: Series, name: string): Float64Array => all[gradients.names.indexOf(name)] ?? empty();
  return {
    steps: places.steps,
    inner: (x, y) => {
      const [own, other] = [gram.names.indexOf(x), gram.names.indexOf(y)];
      return (own < 0 || other < 0 ? undefined : products[pairOf(own, other, count)]) ?? empty();
    },
    norm2: (name) => ofGroup(norms, name),
    exampleNorm2: (name) => ofGroup(examples, name),
    count: (group) => {
      const own = empty();
      const counts = countsOf(group);
      if (counts === null) return own;
      for (const [row, step] of runStep.entries()) {
        const place = places.of(step);
        if (place >= 0) own[place] = counts[row]!;
      }
      return own;
    },
  };
}

/** Places of ascending steps; lookups of ascending steps take constant time. */
function placesOf(steps: Int32Array): { readonly steps: Int32Array; of(step: number): number } {
  let last = 0;
  return {
    steps,
    of(step) {
      if (steps[last] === step) return last;
      if (steps[last + 1] === step) return (last += 1);
      let [low, high] = [0, steps.length];
      while (low < high) {
        const middle = (low + high) >> 1;
        if (steps[middle]! < step) low = middle + 1;
        else high = middle;
      }
      if (steps[low] !== step) return -1;
      last = low;
      return low;
    },
  };
}

/** Series by number; those that never came are missing. */
type Series = (Float64Array | undefined)[];

/** Number of a pair, whichever comes first: the table holds each once. */
const pairOf = (a: number, b: number, count: number): number => (a < b ? a * count + b : b * count + a);
