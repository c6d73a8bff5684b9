import { UserError } from '../../../data/errors.js';
import { matchesParameter } from '../../../data/parameter-groups.js';
import { nearestOf } from '../../config/suggest.js';

/**
 * A place of a network whose activation has a name: `layers.0.attention.output`. A head is a run of columns of the
 * activation of all heads. The same names are in filters, tables and screens.
 */
export interface Site {
  readonly name: string;
  /** Activation that the forward pass names, of which the site has the columns from `first` on. */
  readonly activation: string;
  readonly first: number;
  readonly width: number;
  /** Columns of the whole activation. */
  readonly of: number;
}

/** A site that is a whole activation. */
export function wholeSite(name: string, width: number): Site {
  return { name, activation: name, first: 0, width, of: width };
}

/**
 * The sites that patterns stand for, in the order of the forward pass; `*` stands for any characters. Throws a UserError with
 * the nearest names for a pattern that stands for none, and where the model names no activation.
 */
export function sitesNamed(patterns: readonly string[], sites: readonly Site[]): Site[] {
  if (sites.length === 0) {
    throw new UserError(
      'the activations of this kind of model have no names: give a model of kind transformer',
    );
  }
  const names = sites.map(({ name }) => name);
  for (const pattern of patterns) {
    if (names.some((name) => matchesParameter(pattern, name))) continue;
    const near = nearestOf(pattern.replaceAll('*', ''), names, 3).join(', ');
    throw new UserError(`the model has no activation "${pattern}"; the nearest are ${near}`);
  }
  return sites.filter(({ name }) => patterns.some((pattern) => matchesParameter(pattern, name)));
}
