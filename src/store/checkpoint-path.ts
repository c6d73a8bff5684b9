import { join } from 'node:path';

/** What the names of a model's tensors begin with in a checkpoint; the optimizer's have another prefix. */
export const parameterPrefix = 'parameter/';

/** Folder of a run's checkpoints. */
export function checkpointFolder(run: string): string {
  return join(run, 'checkpoints');
}

/** File of the checkpoint of a step. */
export function checkpointPath(run: string, step: number): string {
  return join(checkpointFolder(run), `step-${String(step).padStart(8, '0')}.safetensors`);
}
