import type { ArmNumbers } from '../data/arm-numbers.js';
import type { RunEntry } from '../data/run-index.js';
import type { RunSource } from '../data/run-source.js';
import type { Wanted } from '../data/browser-data.js';
import type { QuickNumbers } from '../data/quick-numbers.js';
import type { ViewModel } from './picture.js';

export type { Wanted } from '../data/browser-data.js';

/** What a view is made from. */
export interface ViewContext {
  /** Folder that is browsed. */
  readonly root: string;
  readonly entries: readonly RunEntry[];
  /** The run that is looked at; null when the folder has none that can be opened. */
  readonly current: RunSource | null;
  /** The runs that were selected, or the current one alone. */
  readonly shown: readonly RunSource[];
  /** Runs of the current one's config, one per seed, sorted by seed. */
  readonly arm: readonly RunSource[];
  readonly numbers: ArmNumbers;
  /** Paths of the runs that were selected. */
  readonly marked: ReadonlySet<string>;
  /** Gaps of a run that were measured so far. */
  quick(path: string): QuickNumbers | null;
  /** ms since 1970. */
  now(): number;
  /**
   * Something that takes reading: its value once it is there. The first call for a version starts the reading, and the
   * screen is drawn again when it ends; until then the value of the version before is given, where there was one.
   */
  want<T>(name: string, version: string, read: () => Promise<T>): Wanted<T>;
}

/** A view: one file in `views/`, one line in its registry. */
export interface ViewSpec {
  readonly id: string;
  /** Title where there is little room. */
  readonly short: string;
  /** What it answers, for the list of views and the docs. */
  readonly question: string;
  /** Reads what the view needs. Throws a UserError when a table cannot be read; the view then says so. */
  load(context: ViewContext): Promise<ViewModel>;
}
