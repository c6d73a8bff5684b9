import path from 'node:path';
import { UserError } from '../../data/errors.js';
import { ArmNumbers } from './arm-numbers.js';
import { quickNumbers, type QuickNumbers } from './quick-numbers.js';
import { readRunIndex, type IndexEnvironment, type RunEntry } from './run-index.js';
import { asKept } from './kept-values.js';
import { RunSource, type Outcome } from './run-source.js';

/** What {@link BrowserData.want} gives. */
export type Wanted<T> = { readonly kind: 'pending' } | Outcome<T>;

interface Kept {
  version: string;
  value: Outcome<unknown> | null;
}

/** Columns kept of runs that are not on screen: above this many bytes they are forgotten. */
const budget = 100 * 2 ** 20;

/** Things that took reading and are kept, by name. */
const mostKept = 400;

/**
 * All that is known of the runs below a folder: their list, the tables of those that are looked at, and numbers that
 * were measured. Reads nothing that was not asked for, and of what grows only what is new.
 */
export class BrowserData {
  readonly numbers = new ArmNumbers();
  #entries: readonly RunEntry[] = [];
  #entriesVersion = 0;
  readonly #sources = new Map<string, Promise<RunSource | null>>();
  readonly #quick = new Map<string, { readonly key: string; readonly value: QuickNumbers | null }>();
  readonly #kept = new Map<string, Kept>();
  #measuring = false;
  #closed = false;

  /** `onChange` is called when something that was wanted is there. */
  constructor(
    readonly root: string,
    private readonly environment: IndexEnvironment,
    private readonly onChange: () => void = () => {},
  ) {}

  get entries(): readonly RunEntry[] {
    return this.#entries;
  }

  /** Changes when a run appeared, changed its state, or vanished. */
  get entriesVersion(): number {
    return this.#entriesVersion;
  }

  /**
   * Lists the runs anew and looks for new rows in the tables of `shown`. Throws a UserError when the folder cannot be
   * read.
   */
  async refresh(shown: readonly string[]): Promise<void> {
    const entries = await readRunIndex(this.root, this.environment);
    const key = (own: RunEntry): string =>
      `${own.path} ${own.status} ${own.error} ${own.changed} ${own.info?.updated} ${own.lastSample} ${own.exchanged?.info?.updated}`;
    if (entries.map(key).join('\n') !== this.#entries.map(key).join('\n')) this.#entriesVersion++;
    this.#entries = entries;
    const byPath = new Map(entries.map((own) => [own.path, own]));
    for (const [at, promise] of this.#sources) {
      const source = await promise;
      const entry = byPath.get(at);
      if (source === null || entry === undefined || entry.info === null) {
        this.#sources.delete(at);
        await source?.tables.close();
        continue;
      }
      source.entry = entry;
      source.info = entry.info;
      if (shown.includes(at)) await source.tables.refresh().catch(ignoreGone);
    }
    await this.#forget(shown);
  }

  /** A run that is looked at, or null when it is not there or cannot be read. */
  async source(at: string): Promise<RunSource | null> {
    let source = this.#sources.get(at);
    if (source === undefined) {
      source = this.#openSource(at);
      this.#sources.set(at, source);
    }
    return source;
  }

  async #openSource(at: string): Promise<RunSource | null> {
    const entry = this.#entries.find((own) => own.path === at);
    if (entry === undefined || entry.info === null) return null;
    const source = new RunSource(entry, entry.info);
    await source.tables.refresh().catch(ignoreGone);
    return source;
  }

  /** The runs of one config in one folder, sorted by seed; of runs of one name with other configs none. */
  async armOf(run: RunSource): Promise<RunSource[]> {
    const folder = path.dirname(run.entry.path);
    const same = this.#entries.filter(
      ({ path: own, info }) =>
        path.dirname(own) === folder &&
        info?.experiment === run.info.experiment &&
        info.name === run.info.name &&
        info.exchangeOf === run.info.exchangeOf,
    );
    const sources: RunSource[] = [];
    const hashOf = (own: RunSource): Promise<string | null> =>
      own.data().then(
        ({ configHash }) => configHash,
        (error: unknown) => (error instanceof UserError ? null : Promise.reject(error)),
      );
    const hash = await hashOf(run);
    for (const entry of same) {
      const source = await this.source(entry.path);
      if (source !== null && (source === run || (await hashOf(source)) === hash)) sources.push(source);
    }
    return sources.toSorted((a, b) => a.seed - b.seed);
  }

  /** Gaps of a run, null before they are measured. */
  quick(at: string): QuickNumbers | null {
    return this.#quick.get(at)?.value ?? null;
  }

  /** Measures the gaps of all runs, those in `first` before others, one after the other; ends when all are measured. */
  async measureGaps(first: readonly string[]): Promise<void> {
    if (this.#measuring) return;
    this.#measuring = true;
    try {
      for (;;) {
        const waiting = this.#entries.filter((entry) => this.#isStale(entry));
        const next = waiting.find((entry) => first.includes(entry.path)) ?? waiting[0];
        if (next === undefined || next.info === null || this.#closed) return;
        const key = gapKey(next);
        const run = new RunSource(next, next.info);
        let value: QuickNumbers | null = null;
        try {
          await run.tables.refresh();
          value = await quickNumbers(run);
        } catch (error) {
          ignoreGone(error);
        } finally {
          await run.tables.close();
        }
        this.#quick.set(next.path, { key, value });
        this.onChange();
        await new Promise((resolve) => setImmediate(resolve));
      }
    } finally {
      this.#measuring = false;
    }
  }

  #isStale(entry: RunEntry): boolean {
    return entry.info !== null && this.#quick.get(entry.path)?.key !== gapKey(entry);
  }

  /** See `ViewContext.want`. Defects are thrown, out of the reading. */
  want<T>(name: string, version: string, read: () => Promise<T>): Wanted<T> {
    const known = this.#kept.get(name);
    if (known?.version === version)
      return known.value === null ? { kind: 'pending' } : asKept<T>(known.value);
    const kept: Kept = { version, value: known?.value ?? null };
    this.#kept.delete(name);
    this.#kept.set(name, kept);
    for (const oldest of this.#kept.keys()) {
      if (this.#kept.size <= mostKept) break;
      this.#kept.delete(oldest);
    }
    const done = (value: Outcome<T>): void => {
      if (kept.version !== version || this.#kept.get(name) !== kept) return;
      kept.value = value;
      this.onChange();
    };
    const reading = read().then(
      (value) => done({ kind: 'value', value }),
      (error: unknown) => {
        if (!(error instanceof UserError)) throw error;
        done({ kind: 'failed', reason: error.message });
      },
    );
    this.#pending.add(reading);
    void reading.finally(() => this.#pending.delete(reading));
    return kept.value === null ? { kind: 'pending' } : asKept<T>(kept.value);
  }

  readonly #pending = new Set<Promise<void>>();

  /** Waits for all that was wanted so far; false when nothing was under way. */
  async settled(): Promise<boolean> {
    const pending = [...this.#pending];
    await Promise.all(pending);
    return pending.length > 0;
  }

  async close(): Promise<void> {
    this.#closed = true;
    for (const promise of this.#sources.values()) await (await promise)?.tables.close();
    this.#sources.clear();
  }

  async #forget(shown: readonly string[]): Promise<void> {
    const sources = (await Promise.all(this.#sources.values())).filter((own) => own !== null);
    let kept = sources.reduce((sum, { keptBytes }) => sum + keptBytes, 0);
    for (const source of sources) {
      if (kept <= budget) return;
      if (shown.includes(source.entry.path)) continue;
      kept -= source.keptBytes;
      this.#sources.delete(source.entry.path);
      await source.tables.close();
    }
  }
}

/** Changes when the gaps of a run can change. */
const gapKey = ({ info, status, changed, exchanged }: RunEntry): string =>
  `${status} ${changed} ${info?.updated} ${info?.stepsDone} ${exchanged?.info?.updated}`;

/** A folder may vanish while it is read: the next listing shows it. */
function ignoreGone(error: unknown): void {
  if (!(error instanceof UserError)) throw error;
}
