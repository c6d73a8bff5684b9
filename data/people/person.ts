import type { FactEntity } from '../facts/fact-set.js';

/** A person, with what selection goes by. */
export interface Person extends FactEntity {
  readonly gender: 'Male' | 'Female';
  /** Higher is more famous; its unit depends on the source. */
  readonly fame: number;
}

export function isGender(text: string): text is Person['gender'] {
  return text === 'Male' || text === 'Female';
}
