import * as tf from '@tensorflow/tfjs-core';
import type { ParameterSpec } from '../models/model.js';
import type { ParameterTensors } from '../tape/factor-tape.js';

/** Where a parameter lies in a block. */
export interface Placement {
  readonly name: string;
  readonly shape: readonly number[];
  readonly size: number;
  /** First element in the block. */
  readonly offset: number;
}

/**
 * Parameters that are stored and updated as one `[replica, size]` tensor. Small models have dozens of small
 * tensors; an optimizer that works element by element updates them as one.
 */
export interface ParameterBlock {
  /** Key of the optimizer's parameter group; all parameters of a block share their settings. */
  readonly group: string;
  readonly size: number;
  readonly parameters: readonly Placement[];
}

/** Parameters above this size keep a block of their own: packing would copy them at every step. */
const packBelow = 1 << 16;

/**
 * Divides parameters into blocks.
 *
 * @param groupOf optimizer group of a parameter
 * @param pack whether small parameters of a group share a block (false where the optimizer needs each tensor's shape)
 */
export function planBlocks(
  parameters: readonly ParameterSpec[],
  groupOf: (name: string) => string,
  pack: boolean,
): ParameterBlock[] {
  const blocks: { group: string; size: number; parameters: Placement[] }[] = [];
  const open = new Map<string, (typeof blocks)[number]>();
  for (const { name, shape } of parameters) {
    const size = shape.reduce((product, length) => product * length, 1);
    const group = groupOf(name);
    const shared = pack && size < packBelow;
    let block = shared ? open.get(group) : undefined;
    if (block === undefined) {
      block = { group, size: 0, parameters: [] };
      blocks.push(block);
      if (shared) open.set(group, block);
    }
    block.parameters.push({ name, shape, size, offset: block.size });
    block.size += size;
  }
  return blocks;
}

/** Tensors `[replica, ...shape]` of the parameters in blocks `[replica, size]`. */
export function unpack(blocks: readonly ParameterBlock[], values: readonly tf.Tensor[]): ParameterTensors {
  const tensors = new Map<string, tf.Tensor>();
  blocks.forEach((block, index) => {
    const value = values[index]!;
    const replicas = value.shape[0];
    for (const { name, shape, size, offset } of block.parameters) {
      const part = size === block.size ? value : tf.slice(value, [0, offset], [replicas, size]);
      tensors.set(name, tf.reshape(part, [replicas, ...shape]));
    }
  });
  return tensors;
}

/** Blocks `[replica, size]` of tensors `[replica, ...shape]`. Throws when a parameter is missing. */
export function pack(blocks: readonly ParameterBlock[], tensors: ParameterTensors): tf.Tensor[] {
  return blocks.map((block) => {
    const parts = block.parameters.map(({ name, size }) => {
      const tensor = tensors.get(name);
      if (tensor === undefined) throw new Error(`no tensor for parameter ${name}`);
      return tf.reshape(tensor, [tensor.shape[0], size]);
    });
    return parts.length === 1 ? parts[0]! : tf.concat(parts, 1);
  });
}
