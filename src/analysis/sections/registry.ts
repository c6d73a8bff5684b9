import type { SectionSpec } from '../section.js';
import { gradientNoise } from './gradient-noise.js';
import { internalization } from './internalization.js';
import { minibatchCosine } from './minibatch-cosine.js';
import { panelAlignment } from './panel-alignment.js';
import { penaltyLaw } from './penalty-law.js';
import { transfer } from './transfer.js';

/** What `gradscope analyze` asks of runs, in the order of the report. */
export const sections: readonly SectionSpec[] = [
  internalization,
  panelAlignment,
  transfer,
  minibatchCosine,
  gradientNoise,
  penaltyLaw,
];
