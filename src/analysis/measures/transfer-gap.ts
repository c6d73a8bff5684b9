import { measured } from './measured.js';

/** What a definition's update does to a query, in the factors of its second-order expansion. */
export interface TransferFactors {
  /** `|u|`, length of the update's direction. */
  readonly updateNorm: number;
  /** `|g|`, length of the query's gradient; the same for both tags where the query is the same. */
  readonly queryNorm: number;
  /** Cosine of u and g. */
  readonly cosine: number;
  /** `u' H u / |u|^2`, curvature of the query's loss along u. */
  readonly curvature: number;
}

/** Why the updates of two tags change the query's loss differently, in units of the loss. */
export interface TransferGap {
  /** Because the gradients differ in length. */
  readonly norm: number;
  /** Because they differ in angle. */
  readonly angle: number;
  /** Because the loss is curved differently along them. */
  readonly curvature: number;
  /** The whole difference, tag + minus tag -: the sum of the three. */
  readonly total: number;
}

type Player = 'norm' | 'angle' | 'curvature';

/** Orders in which the three factors can be exchanged. */
const orders: readonly (readonly Player[])[] = [
  ['norm', 'angle', 'curvature'],
  ['norm', 'curvature', 'angle'],
  ['angle', 'norm', 'curvature'],
  ['angle', 'curvature', 'norm'],
  ['curvature', 'norm', 'angle'],
  ['curvature', 'angle', 'norm'],
];

/**
 * Splits the gap `dL(+) - dL(-)` of predicted loss changes, `dL = -epsilon |u| |g| c + 1/2 epsilon^2 |u|^2 h`, into
 * parts of the lengths (|u| and |g| together), the cosine c and the curvature h: Shapley values, the mean over all
 * orders of what exchanging a factor for the other tag's changes. They add up to the gap exactly. A proposal of this
 * toolkit. The reason when a factor is not finite.
 */
export function transferGap(
  plus: TransferFactors,
  minus: TransferFactors,
  learningRate: number,
): TransferGap | string {
  const change = (taken: ReadonlySet<Player>): number => {
    const lengths = taken.has('norm') ? plus : minus;
    const { cosine } = taken.has('angle') ? plus : minus;
    const { curvature } = taken.has('curvature') ? plus : minus;
    const first = -learningRate * lengths.updateNorm * lengths.queryNorm * cosine;
    return first + 0.5 * learningRate ** 2 * lengths.updateNorm ** 2 * curvature;
  };
  const parts = { norm: 0, angle: 0, curvature: 0 };
  for (const order of orders) {
    const taken = new Set<Player>();
    for (const player of order) {
      const before = change(taken);
      taken.add(player);
      parts[player] += (change(taken) - before) / orders.length;
    }
  }
  const total = measured(change(new Set<Player>(['norm', 'angle', 'curvature'])) - change(new Set()));
  return typeof total === 'string' ? total : { ...parts, total };
}
