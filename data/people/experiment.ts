import { factExperiment } from '../facts/experiment.js';
import { peopleSchema } from './config.js';
import { loadPeople } from './load.js';

/** Famous people: variables stand for them (section 2 of the paper, there on the cross-verified database). */
export const people = factExperiment({
  name: 'people',
  schema: peopleSchema,
  files: ['pantheon', 'wordnet', 'cvdb'],
  load: loadPeople,
});
