import type { Estimate } from './inference/estimate.js';
import { judgeClaim, type Judgement, type Prediction } from './inference/claim.js';
import type { Quantity } from './quantity.js';

/** Something the runs could show, and how they stand to it. */
export interface Claim {
  readonly claim: string;
  /** Name of the quantity that decides. */
  readonly quantity: string;
  readonly judgement: Judgement;
}

/** Claims and the quantities that decide them: the quantity minus its null is predicted to be of a sign. */
const predictions: readonly { claim: string; quantity: string; predicted: Prediction }[] = [
  {
    claim: 'weak internalization: variables defined with the reliable tag are answered better',
    quantity: 'weak gap, accuracy',
    predicted: 'positive',
  },
  {
    claim: 'strong internalization: so are variables without a single trained question',
    quantity: 'strong gap, accuracy',
    predicted: 'positive',
  },
  {
    claim:
      'in a minibatch, definitions with the reliable tag point the way of their own questions more than definitions ' +
      'with the unreliable tag do, beyond questions of other variables',
    quantity: 'cosine, reliable - unreliable',
    predicted: 'positive',
  },
];

/** Judges every claim whose quantity was measured. */
export function judgeClaims(quantities: readonly Quantity[]): Claim[] {
  return predictions.flatMap(({ claim, quantity, predicted }) => {
    const own = quantities.find(({ name }) => name === quantity);
    return own === undefined
      ? []
      : [{ claim, quantity, judgement: judgeClaim(excess(own), predicted, null) }];
  });
}

/** The quantity minus its null. */
function excess({ estimate, null: own }: Quantity): Estimate {
  return own?.kind === 'measured' ? own.difference : estimate;
}
