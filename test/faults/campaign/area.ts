import type { RandomStream } from '../../../data/random/streams.js';

/** One case of an area: everything it does follows from the random stream. */
export interface CaseContext {
  readonly index: number;
  /** Seed of the campaign. */
  readonly seed: number;
  readonly random: RandomStream;
  /** Folder of the campaign, with the references. */
  readonly work: string;
  /** An empty folder for the case, removed after it. */
  readonly folder: string;
}

/** What a case showed. */
export interface CaseResult {
  /** What was done, in a few words. */
  readonly what: string;
  /** What was not as it should be; nothing when it held. */
  readonly problems: readonly string[];
}

/** One area of the campaign. */
export interface Area {
  readonly name: string;
  /** What is tried, for the table. */
  readonly title: string;
  /** Cases of a whole campaign. */
  readonly count: number;
  /** Seconds after which a case counts as hung and its worker is replaced. */
  readonly limit: number;
  /** Scenarios whose references it needs. */
  readonly needs: readonly (
    'train' | 'probe' | 'probe again' | 'analyze' | 'analyze again' | 'sweep' | 'crashed'
  )[];
  readonly run: (context: CaseContext) => Promise<CaseResult>;
}
