import type { Band } from './inference/equivalence.js';
import type { Estimate } from './inference/estimate.js';
import { judgeClaim, seedsForObserved, type Judgement, type Prediction } from './inference/claim.js';
import type { Quantity } from './quantity.js';

/** Something the runs could show, and how they stand to it. */
export interface Claim {
  readonly claim: string;
  /** Name of the quantity that decides. */
  readonly quantity: string;
  /** Sign of the quantity minus its null that was predicted, or that it is too small to matter. */
  readonly predicted: Prediction;
  readonly judgement: Judgement;
  /** Seeds that an effect of the observed size needs for 80 % power; null where it cannot be told. */
  readonly seedsForPower: number | null;
}

/** Claims and the quantities that decide them: the quantity minus its null is predicted to be of a sign. */
const predictions: readonly {
  readonly claim: string;
  readonly quantity: string;
  readonly predicted: Prediction;
  /** Effects within it are too small to matter. */
  readonly band?: Band;
}[] = [
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
      'alignment gap by tag: with the reliable tag, the gradient of a definition of a new variable points the way of ' +
      "the gradients of that variable's questions more than with the unreliable tag",
    quantity: 'tag-swap gap of new variables, all tensors',
    predicted: 'positive',
  },
  {
    claim: 'so it does in the tensors between embeddings and unembedding alone',
    quantity: 'tag-swap gap of new variables, without embeddings',
    predicted: 'positive',
  },
  {
    claim: 'transfer: a step on a definition lowers the loss of its questions more with the reliable tag',
    quantity: 'fall with the reliable - the unreliable tag',
    predicted: 'positive',
  },
  {
    claim:
      "transfer over the stage with definitions: the variables' own definitions, update by update, lower the loss of " +
      'their questions more with the reliable tag',
    quantity: "of it by the variables' own definitions",
    predicted: 'positive',
  },
  {
    claim:
      'transfer explains the gap: its path integral closes within 20 % of the gap in the loss of the questions',
    quantity: 'gap: midpoint rule / actual - 1',
    predicted: 'none',
    band: [-0.2, 0.2],
  },
  {
    claim:
      'the variance penalty follows its law: norms of real minibatches of all sizes are within 5 % of it',
    quantity: 'measured / law - 1, mean over batch sizes',
    predicted: 'none',
    band: [-0.05, 0.05],
  },
  {
    claim:
      'that penalty is there when an epoch shuffles and absent with replacement: short epochs end apart by what it ' +
      'predicts, within 10 %',
    quantity: "difference / the variance penalty's prediction - 1",
    predicted: 'none',
    band: [-0.1, 0.1],
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
  return predictions.flatMap(({ claim, quantity, predicted, band = null }) => {
    const own = quantities.find(({ name }) => name === quantity);
    return own === undefined
      ? []
      : [
          {
            claim,
            quantity,
            predicted,
            judgement: judgeClaim(excess(own), predicted, band),
            seedsForPower: seedsForObserved(excess(own)),
          },
        ];
  });
}

/** The quantity minus its null. */
function excess({ estimate, null: own }: Quantity): Estimate {
  return own?.kind === 'measured' ? own.difference : estimate;
}
