import type { ViewSpec } from '../view/context.js';
import { alignmentView } from './alignment.js';
import { configView } from './config.js';
import { findingsView } from './findings.js';
import { forcesView } from './forces.js';
import { healthView } from './health.js';
import { minibatchesView } from './minibatch.js';
import { retrainView } from './retrain.js';
import { runsView } from './runs.js';
import { sweepView } from './sweep.js';
import { trainingView } from './training.js';
import { transferView } from './transfer.js';
import { varianceView } from './variance.js';

/** The views, in their order; the first nine have number keys. A further one is one more line here. */
export const views: readonly ViewSpec[] = [
  runsView,
  trainingView,
  alignmentView,
  minibatchesView,
  varianceView,
  transferView,
  configView,
  healthView,
  findingsView,
  retrainView,
  sweepView,
  forcesView,
];
