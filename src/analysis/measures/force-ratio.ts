import { measured } from './measured.js';
import type { Measured } from './measured.js';

/** Lengths of the two forces on the parameters. */
export interface Forces {
  /** `|grad Gamma|`, units of K over those of the parameters. */
  readonly varianceGradient: number;
  /** `|grad C|`, units of the loss over those of the parameters. */
  readonly lossGradient: number;
}

/**
 * Size of the implicit penalty's force beside the loss's, `|kappa grad Gamma| / |grad C|`, a plain number. At 1e-6 the
 * penalty cannot matter, whatever its direction. The reason at a stationary point or for a length that is not finite.
 */
export function forceRatio(kappa: number, { varianceGradient, lossGradient }: Forces): Measured {
  if (lossGradient === 0) return 'the loss has no gradient';
  return measured((Math.abs(kappa) * varianceGradient) / lossGradient);
}
