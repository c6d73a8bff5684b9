import type { SectionSpec } from '../section.js';
import { alignmentByLayer } from './alignment-by-layer.js';
import { alignmentCourse } from './alignment-course.js';
import { epochDrift } from './epoch-drift.js';
import { gradientNoise } from './gradient-noise.js';
import { gramMeasures } from './gram-measures.js';
import { internalization } from './internalization.js';
import { landscape } from './landscape.js';
import { minibatchCosine } from './minibatch-cosine.js';
import { panelAlignment } from './panel-alignment.js';
import { penaltyLaw } from './penalty-law.js';
import { transferPath } from './transfer-path.js';
import { transfer } from './transfer.js';

/** What `gradscope analyze` asks of runs, in the order of the report. */
export const sections: readonly SectionSpec[] = [
  internalization,
  panelAlignment,
  alignmentCourse,
  alignmentByLayer,
  gramMeasures,
  transfer,
  transferPath,
  minibatchCosine,
  gradientNoise,
  landscape,
  penaltyLaw,
  epochDrift,
];
