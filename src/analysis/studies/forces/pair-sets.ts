import type { Design } from '../../../../data/design.js';
import type { QuestionKind } from '../../../store/tables/common.js';
import type { ForcePairing } from '../../../store/tables/forces.js';

/** A mean over pairs of a definition and questions, and what it counts with. */
export interface PairTerm {
  readonly weight: number;
  readonly subset: string;
  readonly questions: QuestionKind;
  readonly pairing: ForcePairing;
}

/** A sum of such means that a section reports. */
export interface PairSet {
  /** Part of the ids of its quantities. */
  readonly id: 'reliable' | 'unreliable' | 'difference' | 'tagSwapGap';
  /** For people. */
  readonly label: string;
  readonly terms: readonly PairTerm[];
}

/** Definitions of trained variables with their trained questions, and the tag-swap gap of new variables. */
export function pairSetsOf({ weak, strong }: Pick<Design, 'weak' | 'strong'>): PairSet[] {
  const trained = (weight: number, subset: string): PairTerm => ({
    weight,
    subset,
    questions: 'trained',
    pairing: 'matched',
  });
  const swapped = (subset: string, isReliable: boolean): PairTerm[] =>
    (['matched', 'tag_swap'] as const).map((pairing) => ({
      weight: (pairing === 'matched') === isReliable ? 0.5 : -0.5,
      subset,
      questions: 'heldout',
      pairing,
    }));
  return [
    { id: 'reliable', label: weak[0], terms: [trained(1, weak[0])] },
    { id: 'unreliable', label: weak[1], terms: [trained(1, weak[1])] },
    {
      id: 'difference',
      label: weak.join(' - '),
      terms: [trained(1, weak[0]), trained(-1, weak[1])],
    },
    {
      id: 'tagSwapGap',
      label: 'tag-swap gap of new variables',
      terms: [...swapped(strong[0], true), ...swapped(strong[1], false)],
    },
  ];
}

/** The same with the questions of other variables: the null. */
export function mismatchedTerms(terms: readonly PairTerm[]): PairTerm[] {
  return terms.map((term) => ({
    ...term,
    pairing: term.pairing === 'tag_swap' ? 'tag_swap_mismatched' : 'mismatched',
  }));
}
