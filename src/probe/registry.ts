import { activationsProbe } from './activations.js';
import { epochDriftProbe } from './epoch-drift.js';
import { forcesProbe } from './forces.js';
import { landscapeProbe } from './landscape.js';
import { alignmentProbe } from './alignment.js';
import { penaltyProbe } from './penalty.js';
import type { ProbeSpec } from './probe.js';
import { transferPathProbe } from './transfer/path.js';
import { transferProbe } from './transfer.js';

/** Everything that `gradscope probe` measures. A new probe is one line here. */
export const probes: readonly ProbeSpec[] = [
  alignmentProbe,
  transferProbe,
  penaltyProbe,
  landscapeProbe,
  epochDriftProbe,
  transferPathProbe,
  forcesProbe,
  activationsProbe,
];
