import type { Model } from '../train/models/model.js';
import { parameterCount } from '../train/models/model.js';

/** How many replicas to train at once, and why that many. */
export interface ReplicaLimit {
  readonly replicas: number;
  readonly reason: string;
}

/** Beyond this many replicas the ops of even the smallest recipe fill the cores: more are not faster. */
const enough = 16;

/** Copies of the parameters that a step holds: value, two moments, gradient, its chunks, log vectors. */
const parameterCopies = 12;

/** Copies of the recorded activations: forward value, saved value, gradient, temporaries. */
const activationCopies = 4;

/** Share of the free memory that training may take. */
const memoryShare = 0.5;

/**
 * @param examples of a minibatch of one replica
 * @param freeBytes memory that is free on the machine
 */
export function replicaLimit(model: Model, examples: number, freeBytes: number): ReplicaLimit {
  const bytes =
    4 * (parameterCount(model) * parameterCopies + examples * model.activationsPerExample * activationCopies);
  const fitting = Math.max(1, Math.floor((freeBytes * memoryShare) / bytes));
  const megabytes = Math.max(1, Math.round(bytes / 1e6));
  const reason =
    fitting < enough
      ? `about ${megabytes} MB each, ${Math.round((freeBytes * memoryShare) / 1e6)} MB of memory to use`
      : 'more at once would not be faster';
  return { replicas: Math.min(enough, fitting), reason };
}
