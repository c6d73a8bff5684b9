import * as tf from '@tensorflow/tfjs-core';
import { parseGroupName } from '../../../data/design.js';
import type { RunPlan } from '../../run/plan.js';
import type { ReplayedUpdate } from '../../run/replay.js';
import type { SetGradientFunction } from '../../train/set-gradients.js';
import { blockwise, productMatrix, type BlockVectors } from '../../train/parameters/block-vectors.js';

/** Definitions differentiated at once, as replicas. */
const together = 16;

/**
 * The part of each of some definitions in the updates of a stage, by way of the optimizer's momentum: the stage is taken
 * again, and the shares of the definitions in the moving average of gradients are followed.
 */
export class DefinitionShares {
  /** `[variable, size]` */
  private shares: tf.Tensor[] | null = null;

  /**
   * @param plan of one seed
   * @param stage that is taken again
   * @param variables whose definitions are followed
   */
  constructor(
    private readonly plan: RunPlan,
    private readonly stage: number,
    private readonly variables: readonly number[],
  ) {}

  /** Lets the shares fade and adds those of the minibatch's definitions; returns the numbers of the variables it held. */
  add(
    { minibatch, weights, before, learner }: ReplayedUpdate,
    gradient: SetGradientFunction,
  ): ReadonlySet<number> {
    const places = placesOf(this.variables, this.plan, this.stage, minibatch.rows[0]!);
    const { decay } = learner.momentum;
    const count = this.variables.length;
    let shares =
      this.shares?.map((share) => tf.tidy(() => tf.mul(share, decay))) ??
      before.map(({ shape }) => tf.zeros([count, shape[1]!]));
    tf.dispose(this.shares ?? []);
    for (let first = 0; first < places.length; first += together) {
      const own = places.slice(first, first + together);
      const chosen = Array.from({ length: together }, (_, i) => (own[i] ?? own[0]!).place);
      const result = singleGradients(gradient, before, minibatch.inputs, chosen);
      const selection = new Float32Array(count * together);
      own.forEach(({ follower, place }, i) => {
        selection[follower * together + i]! += (1 - decay) * weights[place]!;
      });
      const next = shares.map((share, i) =>
        tf.tidy(() => tf.add(share, tf.matMul(tf.tensor2d(selection, [count, together]), result.blocks[i]!))),
      );
      tf.dispose(shares);
      shares = next;
      result.dispose();
    }
    this.shares = shares;
    return new Set(places.map(({ follower }) => follower));
  }

  /**
   * First-order changes of losses with gradients `g_i` by the definitions' parts of the update whose definitions were
   * added last: `[i * variables + j]` of `-rate g_i P s_j`.
   *
   * @param gradients of the losses before the update, `[i, size]`
   */
  changes(gradients: BlockVectors, { learner, stageStep, rateFactor }: ReplayedUpdate): Float64Array {
    const scale = learner.preconditioner(stageStep)!;
    const scaled = blockwise(tf.mul, gradients, scale);
    const { decay, biasCorrected } = learner.momentum;
    const factor = -rateFactor / (biasCorrected ? 1 - decay ** stageStep : 1);
    const products = productMatrix(scaled, this.shares!).map((product) => factor * product);
    tf.dispose([scale, scaled]);
    return products;
  }

  dispose(): void {
    tf.dispose(this.shares ?? []);
  }
}

/** Where a minibatch holds definitions of the followed variables. */
function placesOf(
  variables: readonly number[],
  { stages, data }: RunPlan,
  stage: number,
  rows: Int32Array,
): { readonly follower: number; readonly place: number }[] {
  const set = stages[stage]!.sets[0]!;
  const { groups } = data[0]!;
  const followers = new Map(variables.map((variable, i) => [variable, i]));
  return Array.from(rows).flatMap((row, place) => {
    const follower = followers.get(set.variable[row]!);
    const isDefinition = parseGroupName(groups[set.group[row]!]!).kind === 'definition';
    return follower === undefined || !isDefinition ? [] : [{ follower, place }];
  });
}

/** Gradients of single examples of a minibatch as the update saw them, noise included, one per replica. */
function singleGradients(
  gradient: SetGradientFunction,
  values: BlockVectors,
  inputs: ReplayedUpdate['minibatch']['inputs'],
  places: readonly number[],
): ReturnType<SetGradientFunction> {
  const chosen = Object.fromEntries(
    Object.entries(inputs).map(([name, tensor]) => [
      name,
      tf.tidy(() =>
        tf.reshape(tf.gather(tensor, tf.tensor1d([...places], 'int32'), 1), [
          places.length,
          1,
          ...tensor.shape.slice(2),
        ]),
      ),
    ]),
  );
  const result = gradient(values, chosen);
  tf.dispose(chosen);
  return result;
}
