import type { SectionSpec } from '../section.js';
import type { Study } from '../study.js';
import { alignmentStudy } from './alignment.js';
import { attributionStudy } from './attribution.js';
import { cooccurrenceStudy } from './cooccurrence.js';
import { epochDriftStudy } from './epoch-drift.js';
import { forcesStudy } from './forces.js';
import { internalizationStudy } from './internalization.js';
import { landscapeStudy } from './landscape.js';
import { minibatchStudy } from './minibatch.js';
import { penaltyStudy } from './penalty.js';
import { retrainStudy } from './retrain.js';
import { trainingStudy } from './training.js';
import { transferStudy } from './transfer.js';

/** Every study, in the order of the report. A further one is one more line here. */
export const studies: readonly Study[] = [
  internalizationStudy,
  attributionStudy,
  alignmentStudy,
  transferStudy,
  retrainStudy,
  minibatchStudy,
  cooccurrenceStudy,
  landscapeStudy,
  penaltyStudy,
  epochDriftStudy,
  forcesStudy,
  trainingStudy,
];

/** What `gradscope analyze` asks of runs, in the order of the report. */
export const sections: readonly SectionSpec[] = studies.flatMap((study) => study.sections);
