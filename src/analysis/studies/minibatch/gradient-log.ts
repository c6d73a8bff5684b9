import { groupColumnName, type ColumnName, type TableDefinition } from '../../../store/columns.js';
import type { RunInfo } from '../../../store/run-info.js';
import { minibatchGroup, totalTensor } from '../../../store/tables/common.js';
import { tables } from '../../../store/tables/registry.js';
import { TableReader } from '../../../store/table-reader.js';
import { readTypedBatch, type TypedTable } from '../../../store/typed-table.js';
import { Growing } from '../../growing.js';
import { readTable, type RunData } from '../../run-data.js';

/** Norms and cosines of group gradients over the steps of a run, all tensors together. */
export interface GroupGradients {
  /** Steps with logged gradients, ascending. */
  readonly steps: Int32Array;
  /**
   * `[step]` cosine of two groups' shares of the minibatch gradient, as the training logged it; NaN where one of them
   * was not in the minibatch or has no gradient.
   */
  cosine(a: string, b: string): Float64Array;
  /** `[step]` squared norm of a group's share of the minibatch gradient, or of `minibatch`. */
  norm2(group: string): Float64Array;
  /** `[step]` sum over the group's examples of squared per-example norms; NaN at steps that do not measure it. */
  exampleNorm2(group: string): Float64Array;
  /** `[step]` examples of a group; of the minibatch for `minibatch`. */
  count(group: string): Float64Array;
}

/** Tables of a run, which may still grow. */
export interface LogSource {
  /** The open table, the same as long as it only grows; null where there is none. */
  reader(table: string): Promise<TableReader | null>;
  /** Whole columns of a table; null where there is none. */
  read<D extends TableDefinition, N extends ColumnName<D>>(
    table: D,
    names: readonly N[],
  ): Promise<TypedTable<D, N> | null>;
}

/** How far the log is read, in rows. */
export interface LogProgress {
  readonly done: number;
  readonly all: number;
}

/** Called after each batch. What it waits for comes before the next batch. */
export type OnBatch = () => Promise<void> | void;

/** Rows of one table with `tensor = total`, gathered batch by batch; groups by their place in the dictionary. */
interface TotalRows {
  readonly reader: TableReader;
  readonly step: Growing;
  readonly group: Growing;
  /** Of a pair of groups the second; none of a single group. */
  readonly other: Growing;
  readonly value: Growing;
  /** None of a pair of groups. */
  readonly exampleValue: Growing;
  batches: number;
  names: readonly string[];
}

const noRows = (reader: TableReader): TotalRows => ({
  reader,
  step: new Growing('int32'),
  group: new Growing('int32'),
  other: new Growing('int32'),
  value: new Growing('float64'),
  exampleValue: new Growing('float64'),
  batches: 0,
  names: [],
});

/**
 * Reads norms and cosines of the groups' gradients over a run, all tensors together. One pass over the batches keeps
 * the rows of the sum over tensors, one in some thirty; of a log that grows only new batches are read. Memory is that
 * of what is kept, whatever the size of the log.
 */
export class GroupGradientLog {
  #gradients: TotalRows | null = null;
  #gram: TotalRows | null = null;
  #reading: Promise<GroupGradients | null> | null = null;
  #progress: LogProgress = { done: 0, all: 0 };
  #built: { readonly rows: number; readonly gradients: GroupGradients } | null = null;

  constructor(
    private readonly source: LogSource,
    private readonly onBatch: OnBatch = () => {},
  ) {}

  /** How far the reading under way is; done equals all when none is. */
  get progress(): LogProgress {
    return this.#progress;
  }

  /** Bytes kept, about. */
  get keptBytes(): number {
    let bytes = 0;
    for (const rows of [this.#gradients, this.#gram]) {
      if (rows === null) continue;
      const { step, group, other, value, exampleValue } = rows;
      for (const column of [step, group, other, value, exampleValue]) bytes += column.bytes;
    }
    return bytes;
  }

  /** Reads what is new; null where the run has no gradient log of groups. Throws a UserError for a damaged table. */
  read(info: Pick<RunInfo, 'groups'>): Promise<GroupGradients | null> {
    this.#reading ??= this.#read(info).finally(() => (this.#reading = null));
    return this.#reading;
  }

  async #read(info: Pick<RunInfo, 'groups'>): Promise<GroupGradients | null> {
    const readers = [
      await this.source.reader(tables.gradients.name),
      await this.source.reader(tables.gram.name),
    ] as const;
    if (readers[0] === null || readers[1] === null) return null;
    if (this.#gradients?.reader !== readers[0]) this.#gradients = noRows(readers[0]);
    if (this.#gram?.reader !== readers[1]) this.#gram = noRows(readers[1]);
    const [gradients, gram] = [this.#gradients, this.#gram];
    const all = gradients.reader.rows + gram.reader.rows;
    let done = 0;
    const tell = async (rows: number): Promise<void> => {
      done += rows;
      this.#progress = { done, all };
      await this.onBatch();
    };
    await tell(0);
    await scanNorms(gradients, tell);
    await scanCosines(gram, tell);
    // Batches that an earlier call read count as done.
    this.#progress = { done: all, all };
    const { prefix } = tables.steps.groupColumns;
    const counts = info.groups.map((group) => groupColumnName(prefix, group));
    const steps = await this.source.read(tables.steps, ['step', 'batch_size', ...counts]);
    if (steps === null) return null;
    const rows = gradients.step.length + gram.step.length + steps.rows;
    if (this.#built?.rows === rows) return this.#built.gradients;
    const built = assemble(gradients, gram, steps.columns.step, (group) => {
      if (group === minibatchGroup) return steps.columns.batch_size;
      const place = info.groups.indexOf(group);
      return place < 0 ? null : steps.columns[counts[place]!]!;
    });
    this.#built = { rows, gradients: built };
    return built;
  }
}

async function scanNorms(kept: TotalRows, tell: (rows: number) => Promise<void>): Promise<void> {
  const names = ['step', 'group', 'tensor', 'norm2', 'example_norm2'] as const;
  for (; kept.batches < kept.reader.batches.length; kept.batches++) {
    const { rows, columns } = await readTypedBatch(kept.reader, tables.gradients, kept.batches, names);
    const { step, group, tensor, norm2, example_norm2: exampleNorm2 } = columns;
    const total = tensor.values.indexOf(totalTensor);
    kept.names = group.values;
    for (let row = 0; row < rows; row++) {
      if (tensor.indices[row] !== total) continue;
      kept.step.push(step[row]!);
      kept.group.push(group.indices[row]!);
      kept.value.push(norm2[row]!);
      kept.exampleValue.push(exampleNorm2.values[row]!);
    }
    await tell(rows);
  }
}

async function scanCosines(kept: TotalRows, tell: (rows: number) => Promise<void>): Promise<void> {
  const names = ['step', 'group_a', 'group_b', 'tensor', 'cosine'] as const;
  for (; kept.batches < kept.reader.batches.length; kept.batches++) {
    const { rows, columns } = await readTypedBatch(kept.reader, tables.gram, kept.batches, names);
    const { step, group_a: a, group_b: b, tensor, cosine } = columns;
    const total = tensor.values.indexOf(totalTensor);
    kept.names = a.values;
    for (let row = 0; row < rows; row++) {
      if (tensor.indices[row] !== total) continue;
      kept.step.push(step[row]!);
      kept.group.push(a.indices[row]!);
      kept.other.push(b.indices[row]!);
      kept.value.push(cosine.values[row]!);
    }
    await tell(rows);
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
  const [group, norm2, exampleNorm2] = [
    gradients.group.values,
    gradients.value.values,
    gradients.exampleValue.values,
  ];
  for (let row = 0; row < logged.length; row++) {
    const name = group[row]!;
    const place = places.of(logged[row]!);
    (norms[name] ??= empty())[place] = norm2[row]!;
    (examples[name] ??= empty())[place] = exampleNorm2[row]!;
  }
  const cosines: Series = [];
  const count = gram.names.length;
  const [gramStep, a, b, cosine] = [
    gram.step.values,
    gram.group.values,
    gram.other.values,
    gram.value.values,
  ];
  for (let row = 0; row < gramStep.length; row++) {
    const place = places.of(gramStep[row]!);
    if (place >= 0) (cosines[pairOf(a[row]!, b[row]!, count)] ??= empty())[place] = cosine[row]!;
  }
  const ofGroup = (all: Series, name: string): Float64Array => all[gradients.names.indexOf(name)] ?? empty();
  return {
    steps: places.steps,
    cosine: (x, y) => {
      const [first, second] = [gram.names.indexOf(x), gram.names.indexOf(y)];
      return (first < 0 || second < 0 ? undefined : cosines[pairOf(first, second, count)]) ?? empty();
    },
    norm2: (name) => ofGroup(norms, name),
    exampleNorm2: (name) => ofGroup(examples, name),
    count: (name) => {
      const series = empty();
      const counts = countsOf(name);
      if (counts === null) return series;
      for (const [row, step] of runStep.entries()) {
        const place = places.of(step);
        if (place >= 0) series[place] = counts[row]!;
      }
      return series;
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

/** Reads the group gradients of a run, or null where its log has none. */
export async function readGroupGradients(run: RunData): Promise<GroupGradients | null> {
  const open: TableReader[] = [];
  const log = new GroupGradientLog({
    reader: async (table) => {
      if (!run.tables.has(table)) return null;
      const reader = await TableReader.open(run.folder, table);
      open.push(reader);
      return reader;
    },
    read: (table, names) => readTable(run, table, names),
  });
  try {
    return await log.read(run.info);
  } finally {
    for (const reader of open) await reader.close();
  }
}
