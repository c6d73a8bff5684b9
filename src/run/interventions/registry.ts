import type { InterventionColumnSet } from '../../store/tables/interventions.js';
import type { RunConfig } from '../config.js';
import { freeze, freezeSchema } from './freeze.js';
import type { Intervention } from './intervention.js';
import { noise, noiseSchema } from './noise.js';
import { penalty } from './penalty.js';
import { penaltySchema } from './penalty/config.js';
import { projection, projectionSchema } from './projection.js';
import { reset, resetSchema } from './reset.js';
import { surgery, surgerySchema } from './surgery.js';

/** Keys of a stage that set interventions; each is null where there is none. */
export const interventionSchemas = {
  reset: resetSchema,
  penalty: penaltySchema,
  projection: projectionSchema,
  surgery: surgerySchema,
  noise: noiseSchema,
  freeze: freezeSchema,
};

/**
 * Every intervention, in the order in which they act on a gradient: each gets what the ones before it made of it. Freezing
 * is last: whatever the others do, it is not done to frozen parameters.
 */
export const interventions: readonly Intervention[] = [reset, penalty, projection, surgery, noise, freeze];

/** Sets of columns of the table `steps` that the runs of a config have. */
export function columnSetsOf({ stages }: Pick<RunConfig, 'stages'>): InterventionColumnSet[] {
  const own = interventions.filter(({ key }) => stages.some((stage) => stage[key] !== null));
  return [
    ...(own.some(({ changesGradient }) => changesGradient) ? ['gradient' as const] : []),
    ...own.map(({ key }) => key),
  ];
}
