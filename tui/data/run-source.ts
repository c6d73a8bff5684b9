import { setImmediate } from 'node:timers/promises';
import { UserError } from '../../data/errors.js';
import { GroupGradientLog } from '../../src/analysis/studies/minibatch/gradient-log.js';
import { openExchangedHalf, openRun, type RunData } from '../../src/analysis/run-data.js';
import type { RunInfo } from '../../src/store/run-info.js';
import type { RunEntry } from './run-index.js';
import { RunTableCache } from './run-tables.js';

/** Milliseconds of scanning after which keys are answered. */
const slice = 5;

/** A run that is looked at: what `run.json` says, and its tables, read as needed. */
export class RunSource {
  readonly tables: RunTableCache;
  /** Norms and cosines of the groups' gradients, all tensors together. */
  readonly log: GroupGradientLog;
  #resumed = 0;
  #configHash: Promise<string> | null = null;

  constructor(
    public entry: RunEntry,
    public info: RunInfo,
  ) {
    this.tables = new RunTableCache(entry.path);
    this.log = new GroupGradientLog(this.tables, async () => {
      if (performance.now() - this.#resumed < slice) return;
      await setImmediate();
      this.#resumed = performance.now();
    });
  }

  get name(): string {
    return this.entry.name;
  }

  get seed(): number {
    return this.info.seed;
  }

  get keptBytes(): number {
    return this.tables.keptBytes + this.log.keptBytes;
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
