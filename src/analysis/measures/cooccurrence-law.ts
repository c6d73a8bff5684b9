import {
  compositionShape,
  type ComposedRows,
  type Composition,
  type CompositionShape,
} from '../../../data/composition.js';

/** Probabilities that two rows share a minibatch of an epoch, by what a composition does with them. */
export interface SharingProbabilities {
  /** Two rows of one unit that is placed. */
  readonly within: number;
  /** Rows of two units that are placed. */
  readonly across: number;
  /** A row that is placed and one that is not. */
  readonly placedOther: number;
  /** Two rows that are not placed. */
  readonly others: number;
}

/**
 * Probabilities that two rows share a minibatch, exact: `s` rows, `c` of them placed, in each minibatch, `U` units of `g`
 * rows. Rows that are not placed fill `f = s - c` places at random: `sum f(f-1) / (F(F-1))` for two of them and
 * `sum c f / (U g F)` with a placed one. Units are exchangeable, and so are their rows: `sum c(c-g) / (U g (U-1) g)` across
 * units that are together, `sum c(c-1) / (U g (U-1) g)` that are apart. With `U g = N`, g = 2 and B dividing N: together
 * (B-2)/(N-2), apart (B-1)/(N-2) (gradient-maths 6.5). 0 for a kind of pair that there is not.
 */
export function sharingProbabilities(
  { sizes, placed, units, unitSize }: CompositionShape,
  place: Composition['place'],
): SharingProbabilities {
  const free = sizes.map((size, k) => size - placed[k]!);
  const [placedRows, others] = [units * unitSize, sum(free)];
  const beside = place === 'together' ? unitSize : 1;
  return {
    within: place === 'together' ? 1 : 0,
    across: quotient(sum(placed.map((c) => c * (c - beside))), placedRows * (placedRows - unitSize)),
    placedOther: quotient(sum(placed.map((c, k) => c * free[k]!)), placedRows * others),
    others: quotient(sum(free.map((f) => f * (f - 1))), others * (others - 1)),
  };
}

/**
 * Probability that two rows of N share a minibatch of a shuffled epoch, `sum s(s-1) / (N(N-1))` over the sizes of its
 * minibatches: (B-1)/(N-1) where B divides N.
 */
export function shuffledSharing(examples: number, batchSize: number): number {
  const whole = Math.floor(examples / batchSize);
  const last = examples % batchSize;
  return quotient(whole * batchSize * (batchSize - 1) + last * (last - 1), examples * (examples - 1));
}

/** What the law of definition-question pairs depends on. */
export interface PairedRows extends ComposedRows {
  readonly definitions: number;
  readonly questions: number;
}

/** Probabilities that the two rows of a definition-question pair share a minibatch of an epoch, means over the pairs. */
export interface PairProbabilities {
  readonly matched: number;
  readonly mismatched: number;
  /** Pairs that the composition places where it places their unit: the matched ones, or those of the placebo. */
  readonly assigned: number;
}

/**
 * Law of the definition-question pairs of a composed epoch, over the draw of the units and of their places (gradient-maths
 * 6.5, with a share and a smaller last minibatch). Throws a UserError for a composition that cannot be.
 */
export function cooccurrenceLaw(rows: PairedRows, composition: Composition): PairProbabilities {
  const { definitions, questions, variables, questionsPerVariable: k } = rows;
  const shape = compositionShape(rows, composition);
  const { within, across, placedOther, others } = sharingProbabilities(shape, composition.place);
  const { units } = shape;
  const share = units / variables;
  const both = quotient(units * (units - 1), variables * (variables - 1));
  const neither = quotient((variables - units) * (variables - units - 1), variables * (variables - 1));
  const assigned = share * within + (1 - share) * others;
  const crossed = both * across + (1 - both - neither) * placedOther + neither * others;
  const single = share * placedOther + (1 - share) * others;
  // Definitions and questions of no unit.
  const [loneDefinitions, loneQuestions] = [definitions - variables, questions - variables * k];
  const meetings =
    variables * k * (assigned + (variables - 1) * crossed) +
    (variables * loneQuestions + loneDefinitions * variables * k) * single +
    loneDefinitions * loneQuestions * others;
  const matched = composition.pairs === 'matched' ? assigned : crossed;
  const pairs = variables * k;
  return {
    matched,
    mismatched: quotient(meetings - pairs * matched, definitions * questions - pairs),
    assigned,
  };
}

const sum = (values: readonly number[]): number => values.reduce((total, own) => total + own, 0);

const quotient = (numerator: number, denominator: number): number =>
  denominator === 0 ? 0 : numerator / denominator;
