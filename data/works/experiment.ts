import { factExperiment } from '../facts/experiment.js';
import { worksSchema } from './config.js';
import { loadWorks } from './load.js';

/** Creative works: variables stand for them (section 2.6 of the paper, there on T-REx). */
export const works = factExperiment({
  name: 'works',
  schema: worksSchema,
  files: ['movies', 'trex'],
  load: loadWorks,
});
