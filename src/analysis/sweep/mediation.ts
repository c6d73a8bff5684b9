import { absent, type Estimate } from '../inference/estimate.js';
import { meanOverSeeds } from '../inference/seeds/mean.js';
import { fixedEffects, jackknife, type PanelRow } from '../inference/trend/fixed-effects.js';

/** A run of a sweep: outcome, mediator and training loss; null where it has none. */
export interface SweptRun {
  readonly arm: string;
  readonly seed: number;
  readonly outcome: number | null;
  readonly mediator: number | null;
  readonly loss: number | null;
}

/** How much of the difference between two arms goes with the mediator. */
export interface MediatedContrast {
  readonly arm: string;
  readonly minus: string;
  /** Mean over seeds of the difference of the outcome, and of the mediator. */
  readonly total: Estimate;
  readonly mediator: Estimate;
  /** Difference of the mediator times the slope within arms. */
  readonly indirect: Estimate;
  /** `indirect / total`; null where the interval of the total has 0 in it. */
  readonly proportion: number | null;
}

/**
 * Outcome on mediator within arms. It is support, not proof: the mediator was not randomised, and what moves both within an
 * arm looks the same.
 */
export interface SweepMediation {
  /** Slope of the outcome on the mediator over seeds and arms, with an effect for every arm. */
  readonly slope: Estimate;
  /** The same beside the training loss. */
  readonly besideLoss: Estimate;
  /** Runs that have both. */
  readonly runs: number;
  readonly contrasts: readonly MediatedContrast[];
}

type WithOutcome = SweptRun & { readonly outcome: number };

type Whole = SweptRun & { readonly outcome: number; readonly mediator: number };

const isWhole = (run: SweptRun): run is Whole => run.outcome !== null && run.mediator !== null;

/**
 * Mediation over seeds and arms (gradient-maths section 17, C14): the slope with arm fixed effects, and for pairs of arms the
 * part of the difference that it accounts for, difference of the mediator times slope. Intervals are of the jackknife over
 * seeds.
 *
 * @param pairs arms whose difference is asked about
 */
export function mediationOf(
  runs: readonly SweptRun[],
  pairs: readonly { readonly arm: string; readonly minus: string }[],
): SweepMediation {
  const whole = runs.filter(isWhole);
  const withOutcome = runs.filter((run): run is WithOutcome => run.outcome !== null);
  const withLoss = whole.flatMap((run) => (run.loss === null ? [] : [{ ...run, loss: run.loss }]));
  return {
    slope: slopeOf(whole),
    besideLoss: firstSlope(
      withLoss.map((run) => rowOf(run, [run.mediator, run.loss])),
      ['mediator', 'training loss'],
    ),
    runs: whole.length,
    contrasts: pairs.map(({ arm, minus }) => contrastOfPair(withOutcome, whole, arm, minus)),
  };
}

const rowOf = ({ arm, seed, outcome }: Whole, predictors: readonly number[]): PanelRow => ({
  group: arm,
  seed,
  response: outcome,
  predictors,
});

function firstSlope(rows: readonly PanelRow[], names: readonly string[]): Estimate {
  const fit = fixedEffects(rows, names);
  return fit.kind === 'absent' ? fit : fit.slopes[0]!.effect;
}

const slopeOf = (runs: readonly Whole[]): Estimate =>
  firstSlope(
    runs.map((run) => rowOf(run, [run.mediator])),
    ['mediator'],
  );

/** Differences of a value between two arms, of the seeds that both have. */
function differencesOf<Run extends SweptRun>(
  runs: readonly Run[],
  arm: string,
  minus: string,
  valueOf: (run: Run) => number,
): number[] {
  return runs.flatMap((run) => {
    const other = runs.find((own) => own.arm === minus && own.seed === run.seed);
    return run.arm !== arm || other === undefined ? [] : [valueOf(run) - valueOf(other)];
  });
}

function contrastOfPair(
  withOutcome: readonly WithOutcome[],
  runs: readonly Whole[],
  arm: string,
  minus: string,
): MediatedContrast {
  const mean = (of: readonly number[]): Estimate =>
    of.length === 0 ? absent('no seed is in both arms') : meanOverSeeds(of);
  const total = mean(differencesOf(withOutcome, arm, minus, ({ outcome }) => outcome));
  const indirect = indirectOf(runs, arm, minus);
  const isFound =
    total.kind === 'value' && total.interval !== null && total.interval[0] * total.interval[1] > 0;
  return {
    arm,
    minus,
    total,
    mediator: mean(differencesOf(runs, arm, minus, ({ mediator }) => mediator)),
    indirect,
    proportion: isFound && indirect.kind === 'value' ? indirect.estimate / total.estimate : null,
  };
}

function indirectOf(runs: readonly Whole[], arm: string, minus: string): Estimate {
  const of = (some: readonly Whole[]): number | string => {
    const differences = differencesOf(some, arm, minus, ({ mediator }) => mediator);
    if (differences.length === 0) return 'no seed has both in both arms';
    const slope = slopeOf(some);
    if (slope.kind === 'absent') return slope.reason;
    return (slope.estimate * differences.reduce((sum, own) => sum + own, 0)) / differences.length;
  };
  const all = of(runs);
  if (typeof all === 'string') return absent(all);
  const seeds = [...new Set(runs.map(({ seed }) => seed))];
  const without = seeds.map((seed) => of(runs.filter((run) => run.seed !== seed)));
  const reason = without.find((own) => typeof own === 'string');
  if (reason !== undefined) return absent(`without one of the seeds: ${reason}`);
  return jackknife(
    all,
    without.filter((own) => typeof own === 'number'),
  );
}
