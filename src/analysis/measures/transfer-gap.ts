import { measured } from './measured.js';

/** What a definition's update does to a query, in the parts of its second-order expansion. */
export interface TransferParts {
  /** `|u|`, length of the change of the parameters. */
  readonly updateNorm: number;
  /** `|g|`, length of the query's gradient; the same for both tags where the query is the same. */
  readonly queryNorm: number;
  /** Cosine of -u and g: positive where the update lowers the loss. */
  readonly cosine: number;
  /** `u' H u / 2`, second-order part of the change of the loss. */
  readonly secondOrder: number;
}

/** Why the updates of two tags change the query's loss differently, in units of the loss. */
export interface TransferGap {
  /** Because update and gradient differ in length. */
  readonly norm: number;
  /** Because they differ in angle. */
  readonly angle: number;
  /** Because the second-order parts differ. */
  readonly curvature: number;
  /** The whole difference, tag + minus tag -: the sum of the three. */
  readonly total: number;
}

/**
 * Splits the gap `dL(+) - dL(-)` of predicted loss changes, `dL = -|u| |g| c + u' H u / 2`, into parts of the lengths (|u|
 * and |g| together), of the cosine c, and of the second-order part as it is. Lengths and angle have Shapley values, the
 * mean over both orders of what exchanging one for the other tag's changes: `-(N+ - N-) (c+ + c-) / 2` and
 * `-(c+ - c-) (N+ + N-) / 2` with `N = |u| |g|`. The parts add up to the gap exactly. The second-order part is not
 * divided by `|u|^2` to be exchanged too: for a short update that quotient is the rounding of the losses, which the length
 * of a long one would multiply. A proposal of this toolkit. The reason when a part is not finite.
 */
export function transferGap(plus: TransferParts, minus: TransferParts): TransferGap | string {
  const [lengths, otherLengths] = [plus, minus].map((own) => own.updateNorm * own.queryNorm) as [
    number,
    number,
  ];
  const norm = (-(lengths - otherLengths) * (plus.cosine + minus.cosine)) / 2;
  const angle = (-(plus.cosine - minus.cosine) * (lengths + otherLengths)) / 2;
  const curvature = plus.secondOrder - minus.secondOrder;
  const total = measured(norm + angle + curvature);
  return typeof total === 'string' ? total : { norm, angle, curvature, total };
}
