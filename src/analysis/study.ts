import type { Prediction } from './inference/claim.js';
import type { Band } from './inference/equivalence.js';
import type { SectionSpec } from './section.js';

/**
 * A noun that runs through the rooms: its tables (`store/tables`), its probe (`probe`), what is computed of them and
 * claimed (`studies`, one file and one line in its registry) and its view (`tui/views`).
 */
export interface Study {
  /** Sections of the report, in its order. */
  readonly sections: readonly SectionSpec[];
  readonly claims?: readonly ClaimSpec[];
  readonly checks?: readonly CheckSpec[];
}

/** Something the runs could show or refute. What cannot fail is no claim: see `checks.ts`. */
export interface ClaimSpec {
  readonly id: string;
  readonly claim: string;
  /** The claim where the definitions of both subsets of weak internalization are equally right. */
  readonly equallyRight?: string;
  /**
   * Id of the quantity that decides; one that ends in a dot stands for all whose ids begin with it, of which each must
   * show it.
   */
  readonly quantity: string;
  /** The quantity minus its null, minus the threshold, is predicted to be of this sign, or too small to matter. */
  readonly predicted: Prediction;
  /** 0 by default. */
  readonly threshold?: number;
  /** Effects within it are too small to matter. */
  readonly band?: Band;
  /** Whether it is about what the tag does: where the tag means nothing it must fail. */
  readonly aboutTags?: true;
  /** Left out where there is this quantity. */
  readonly unless?: string;
}

/**
 * Something that holds by algebra or calculus where the program computes what it says: it can fail by a mistake or by
 * numerical error, and says nothing about the models. Shown beside the claims, never as one.
 */
export interface CheckSpec {
  readonly id: string;
  readonly check: string;
  /** Id of the quantity, which is 0 where it holds. */
  readonly quantity: string;
  /** Largest size that passes: of every seed's value (`seed`), or of the mean over seeds (`mean`, of random draws). */
  readonly tolerance: number;
  readonly of: 'seed' | 'mean';
}
