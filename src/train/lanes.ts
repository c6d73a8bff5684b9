import * as tf from '@tensorflow/tfjs-core';
import { nativeBackend } from './engine/tensorflow-binding.js';

/**
 * Consecutive replicas that are computed apart from the others. A training step is a chain of ops that can hardly
 * run side by side; two lanes in one graph are two such chains, which keep two cores busy.
 */
export interface Lane {
  /** First replica of the lane. */
  readonly first: number;
  readonly replicas: number;
}

/** Divides replicas into lanes: two where graphs are compiled and there is more than one replica. */
export function planLanes(replicas: number): Lane[] {
  const native = nativeBackend();
  const count = native === null || native.isUsingGpuDevice || replicas < 2 ? 1 : 2;
  return Array.from({ length: count }, (_, lane) => {
    const first = Math.ceil((replicas * lane) / count);
    return { first, replicas: Math.ceil((replicas * (lane + 1)) / count) - first };
  });
}

/** The lanes' shares of a tensor with a leading replica axis. */
export function splitLanes(tensor: tf.Tensor, lanes: readonly Lane[]): tf.Tensor[] {
  if (lanes.length === 1) return [tensor];
  return tf.split(
    tensor,
    lanes.map(({ replicas }) => replicas),
    0,
  );
}

/** Puts the lanes' shares together again. */
export function joinLanes(parts: readonly tf.Tensor[]): tf.Tensor {
  return parts.length === 1 ? parts[0]! : tf.concat([...parts], 0);
}
