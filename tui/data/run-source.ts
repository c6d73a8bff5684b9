import { UserError } from '../../data/errors.js';
import type { GroupGradients } from '../../src/analysis/group-gradients.js';
import { openExchangedHalf, openRun, type RunData } from '../../src/analysis/run-data.js';
import type { RunInfo } from '../../src/store/run-info.js';
import type { RunEntry } from './run-index.js';
import { RunTables } from './run-tables.js';
import { TotalsLog, type ScanProgress } from './totals-log.js';

/** A run that is looked at: what `run.json` says, and its tables, read as needed. */
export class RunSource {
  readonly tables: RunTables;
  readonly #totals: TotalsLog;
  #configHash: Promise<string> | null = null;

  constructor(
    public entry: RunEntry,
    public info: RunInfo,
  ) {
    this.tables = new RunTables(entry.path);
    this.#totals = new TotalsLog(this.tables);
  }

  get name(): string {
    return this.entry.name;
  }

  get seed(): number {
    return this.info.seed;
  }

  /** Norms and inner products of the groups' gradients, all tensors together; null where they are not logged. */
  groupGradients(): Promise<GroupGradients | null> {
    return this.#totals.read(this.info);
  }

  get scanProgress(): ScanProgress {
    return this.#totals.progress;
  }

  get keptBytes(): number {
    return this.tables.keptBytes + this.#totals.keptBytes;
  }

  /** The run as the functions of the analysis take it. Throws a UserError when its config cannot be read. */
  async data(): Promise<RunData> {
    this.#configHash ??= openRun(this.entry.path).then(({ configHash }) => configHash);
    const configHash = await this.#configHash;
    return {
      folder: this.entry.path,
      info: this.info,
      tables: this.tables.names,
      configHash,
      exchanged: await openExchangedHalf(this.entry.path, this.info),
    };
  }
}

/** A value, or why it cannot be read. */
export type Outcome<T> =
  { readonly kind: 'value'; readonly value: T } | { readonly kind: 'failed'; readonly reason: string };

/** What `work` gives, or the reason why a table cannot be read; anything else is a defect and is thrown. */
export async function orReason<T>(work: () => Promise<T>): Promise<Outcome<T>> {
  try {
    return { kind: 'value', value: await work() };
  } catch (error) {
    if (error instanceof UserError) return { kind: 'failed', reason: error.message };
    throw error;
  }
}
