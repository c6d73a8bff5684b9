import type * as tf from '@tensorflow/tfjs-core';
import { compile } from './engine/compiled.js';
import type { MinibatchGradient } from './gradient-function.js';
import { joinLanes, planLanes, splitLanes, type Lane } from './lanes.js';
import { bindUses, flattenUses, type FlatUses, type ParameterUse } from './tape/uses.js';

/** What is computed, lane by lane, from the factors of a minibatch's gradient; the caller disposes of the results. */
export interface FactorFunction {
  /**
   * @param others tensors with a leading replica axis, beside the factors
   * @returns tensors with a leading replica axis
   */
  (gradient: Pick<MinibatchGradient, 'lanes'>, others: readonly tf.Tensor[]): tf.Tensor[];
  dispose(): void;
}

/**
 * Compiles a function of a minibatch's factors. An accumulated gradient has none: refused with a TypeError.
 *
 * @param compute for one lane, from its factors and its share of the other tensors
 */
export function fromFactors(
  name: string,
  compute: (uses: readonly ParameterUse[], others: readonly tf.Tensor[]) => tf.Tensor[],
): FactorFunction {
  return acrossLanes(name, (uses, others) => {
    if (uses === null) throw new TypeError(`${name}: the gradient was accumulated and has no factors`);
    return compute(uses, others);
  });
}

/**
 * Compiles a function of the factors of a minibatch's gradient where it has them, lane by lane.
 *
 * @param compute for one lane, from its factors, or null for an accumulated gradient, and its share of the other tensors
 */
export function acrossLanes(
  name: string,
  compute: (uses: readonly ParameterUse[] | null, others: readonly tf.Tensor[]) => tf.Tensor[],
): FactorFunction {
  /** How factors are put back into uses, and into lanes; the same whenever the shapes of all inputs are. */
  let layout: { readonly flat: FlatUses | null; readonly lanes: readonly Lane[] };
  const run = compile(name, (tensors) => {
    const { flat, lanes } = layout;
    const perLane = flat?.factors.length ?? 0;
    const count = tensors.length - lanes.length * perLane;
    const split = tensors.slice(0, count).map((tensor) => splitLanes(tensor, lanes));
    const results = lanes.map((_, lane) => {
      const first = count + lane * perLane;
      const uses = flat === null ? null : bindUses(flat, tensors.slice(first, first + perLane));
      return compute(
        uses,
        split.map((own) => own[lane]!),
      );
    });
    return results[0]!.map((_, i) => joinLanes(results.map((own) => own[i]!)));
  });
  const call = ({ lanes }: Pick<MinibatchGradient, 'lanes'>, others: readonly tf.Tensor[]): tf.Tensor[] => {
    const flats = lanes.map(({ uses }) => flattenUses(uses));
    layout = { flat: flats[0] ?? null, lanes: lanes.length > 0 ? lanes : planLanes(others[0]!.shape[0]) };
    return run([...others, ...flats.flatMap(({ factors }) => factors)]);
  };
  return Object.assign(call, { dispose: () => run.dispose() });
}
