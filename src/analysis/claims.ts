import { weakIsConfounded } from '../../data/design.js';
import { designOf } from '../../data/internalization-design.js';
import { createStream } from '../../data/random/streams.js';
import { stageRoles } from '../../data/stage-roles.js';
import type { RunInfo } from '../store/run-info.js';
import {
  adjustedVerdict,
  beyond,
  claimAlpha,
  claimPValue,
  judgeClaim,
  ratioClaimPValue,
  seedsForObserved,
  type Judgement,
  type Prediction,
  type Verdict,
} from './inference/claim.js';
import type { Estimate } from './inference/estimate.js';
import { holm } from './inference/multiplicity/holm.js';
import { ratioOfMeans, type Ratio } from './inference/ratio.js';
import { meanOverSeeds } from './inference/seeds/mean.js';
import { exactSignFlipUnits } from './inference/permutation/sign-flips.js';
import { signFlipTest } from './inference/seeds/sign-flip.js';
import type { TestResult } from './inference/test-result.js';
import { excessOf, type Control, type Quantity } from './quantity.js';
import { studies } from './studies/registry.js';
import type { ClaimSpec } from './study.js';

/** A claim and how the runs of an arm stand to it. */
export interface Claim {
  readonly id: string;
  readonly claim: string;
  /** Ids of the quantities that decide. */
  readonly quantities: readonly string[];
  /** Sign that was predicted, or that it is too small to matter. */
  readonly predicted: Prediction;
  readonly judgement: Judgement;
  /** Of the test behind the verdict, and the same by Holm over the claims of the report; null where there is none. */
  readonly pValue: number | null;
  readonly adjustedPValue: number | null;
  /** p-value of the exact sign flips over seeds; null where there are none. */
  readonly signFlipsPValue: number | null;
  /** Seeds that an effect of the observed size needs for 80 % power; null where it cannot be told. */
  readonly seedsForPower: number | null;
  /** The controls of its quantity from other arms, for a claim about tags. */
  readonly controls: readonly Control[];
}

/** How verdicts come about, for people. */
export const claimRule =
  'supported: the t interval over seeds excludes the null on the predicted side, and its p-value, adjusted by Holm for ' +
  `all claims of this report, is at most ${claimAlpha}; contradicted: the same on the other side; otherwise undecided`;

/** Every claim of a report. */
export const claimSpecs: readonly ClaimSpec[] = studies.flatMap(({ claims = [] }) => claims);

/** What the claims of an arm are judged on besides its quantities. */
export interface ArmFacts {
  /** `[run]` */
  readonly runs: readonly Pick<RunInfo, 'seed' | 'status' | 'failure' | 'stages' | 'design'>[];
  /** Whether these runs are the control in which tags say nothing of definitions. */
  readonly isTagControl: boolean;
}

/** Judges every claim whose quantity was measured; their p-values are adjusted for each other. */
export function judgeClaims(
  quantities: readonly Quantity[],
  facts: ArmFacts = { runs: [], isTagControl: false },
): Claim[] {
  const measured = claimSpecs.flatMap((spec) => {
    const own = decidingQuantities(spec, quantities);
    const isReplaced = spec.unless !== undefined && quantities.some(({ id }) => id === spec.unless);
    return own.length === 0 || isReplaced ? [] : [{ spec, own, found: find(spec, own) }];
  });
  const adjusted = holm(measured.map(({ found }) => found.pValue));
  const family = adjusted.filter((p) => p !== null).length;
  return measured.map(({ spec, own, found }, i): Claim => {
    const p = adjusted[i]!;
    const signFlips = own.length === 1 ? claimedFlips(own[0]!, spec.threshold ?? 0) : null;
    const signFlipsPValue = signFlips?.kind === 'value' ? signFlips.pValue : null;
    return {
      id: spec.id,
      claim: claimText(spec, facts),
      quantities: own.map(({ id }) => id),
      predicted: spec.predicted,
      judgement: {
        ...found.judgement,
        verdict: adjustedVerdict(found.judgement.verdict, p),
        reason: [
          found.judgement.reason,
          ...pValueWords(found.pValue, p, family, signFlipsPValue),
          ...demotedWords(found.judgement.verdict, p),
          ...missingWords(own, facts),
          ...exchangeWords(own, quantities),
          ...(spec.aboutTags === true ? jointWords(spec, facts) : []),
        ].join(' '),
      },
      pValue: found.pValue,
      adjustedPValue: p,
      signFlipsPValue,
      seedsForPower: found.seedsForPower,
      controls: own.length === 1 ? own[0]!.controls.filter(({ id }) => id === tagControlId) : [],
    };
  });
}

/** Id of the control that an arm in which the tag means nothing is, whatever key of its data the design names for it. */
export const tagControlId = 'tagControl';

/** Whether an arm in which the tag means nothing is a control of a quantity. */
export function hasTagControl(quantity: string): boolean {
  return claimSpecs.some(
    (spec) => spec.quantity === quantity && (spec.aboutTags ?? spec.unless !== undefined),
  );
}

function decidingQuantities({ quantity }: ClaimSpec, quantities: readonly Quantity[]): Quantity[] {
  return quantities.filter(({ id }) => (quantity.endsWith('.') ? id.startsWith(quantity) : id === quantity));
}

interface Finding {
  readonly judgement: Judgement;
  readonly pValue: number | null;
  readonly seedsForPower: number | null;
}

function find(spec: ClaimSpec, quantities: readonly Quantity[]): Finding {
  const { predicted, band = null, threshold = 0 } = spec;
  const findings = quantities.map((quantity): Finding & { readonly quantity: Quantity } => {
    const ratios = quantity.seeds.flatMap(({ ratio }) => (ratio === undefined ? [] : [ratio]));
    if (predicted === 'none' && band !== null && ratios.length > 0) {
      // Two one-sided tests at 5 % are the interval of 90 %.
      const narrow = ratioOfMeans(ratios, { level: 1 - 2 * claimAlpha });
      const narrower = narrow.kind === 'value' ? narrow.interval : null;
      return {
        quantity,
        judgement: judgeClaim(quantity.estimate, predicted, band, { narrower }),
        pValue: ratioClaimPValue(ratios, band),
        seedsForPower: null,
      };
    }
    const estimate = claimedEstimate(quantity, ratios, threshold);
    const judgement = judgeClaim(estimate, predicted, band);
    const reason = `${statedWords(quantity, threshold)}${judgement.reason}`;
    return {
      quantity,
      judgement: { ...judgement, reason },
      pValue: claimPValue(estimate, predicted, band),
      seedsForPower: predicted === 'none' ? null : seedsForObserved(estimate),
    };
  });
  return spec.quantity.endsWith('.') ? together(findings) : findings[0]!;
}

/** All sign flips over seeds of what the claim is tested on; null where there are too many seeds, or too few. */
function claimedFlips(quantity: Quantity, threshold: number): TestResult | null {
  if (threshold === 0) return quantity.signFlips;
  const values = quantity.seeds.flatMap(({ value, ratio }) =>
    ratio !== undefined
      ? [ratio.numerator - threshold * ratio.denominator]
      : value === null
        ? []
        : [value - threshold],
  );
  if (values.length < 2 || values.length > exactSignFlipUnits) return null;
  return signFlipTest(values, createStream(0, 'claims'));
}

/** What was measured, where the test is of it less the threshold. */
function statedWords({ estimate, seeds }: Quantity, threshold: number): string {
  if (threshold === 0 || estimate.kind === 'absent') return '';
  const interval = estimate.interval === null ? '' : ` [${estimate.interval.map(shortNumber).join(', ')}]`;
  const isRatio = seeds.some(({ ratio }) => ratio !== undefined);
  const tested = isRatio ? `numerator - ${threshold} x denominator` : `it - ${threshold}`;
  return `Measured: ${shortNumber(estimate.estimate)}${interval}. Of ${tested}: `;
}

/** What the claim is tested on: the quantity minus its null and the threshold. */
function claimedEstimate(quantity: Quantity, ratios: readonly Ratio[], threshold: number): Estimate {
  // "The ratio is above theta" is "numerator - theta denominator is above 0", bounded interval or not.
  if (ratios.length > 0) {
    return meanOverSeeds(ratios.map(({ numerator, denominator }) => numerator - threshold * denominator));
  }
  return beyond(excessOf(quantity), threshold);
}

/**
 * All of several quantities must show it: supported where each is, with the largest p-value (an intersection-union
 * test, which needs no correction); contradicted where one is, with the smallest times their number. Quantities without
 * an estimate are named and left out.
 */
function together(all: readonly (Finding & { readonly quantity: Quantity })[]): Finding {
  const findings = all.filter(({ quantity }) => quantity.estimate.kind === 'value');
  const left = all.flatMap(({ quantity }) =>
    quantity.estimate.kind === 'absent' ? [`${quantity.label} (${quantity.estimate.reason})`] : [],
  );
  const without = left.length === 0 ? '' : ` Without ${left.join('; ')}.`;
  const plain = { negligible: null, seedsNeeded: null };
  const first = findings[0];
  if (first === undefined) {
    const reason = `There is no estimate.${without}`;
    return { judgement: { verdict: 'undecided', reason, ...plain }, pValue: null, seedsForPower: null };
  }
  const of = (verdict: Verdict) => findings.filter(({ judgement }) => judgement.verdict === verdict);
  const ps = (own: readonly Finding[]): number[] => own.flatMap(({ pValue }) => pValue ?? []);
  const [supported, contradicted] = [of('supported'), of('contradicted')];
  const name = ({ quantity, judgement }: (typeof findings)[number]): string =>
    `${quantity.label}: ${judgement.reason}`;
  if (supported.length === findings.length) {
    const worst = findings.reduce((a, b) => ((b.pValue ?? 0) > (a.pValue ?? 0) ? b : a));
    const reason = `Each of ${findings.length} shows it; weakest: ${name(worst)}${without}`;
    return {
      judgement: { ...worst.judgement, verdict: 'supported', reason },
      pValue: worst.pValue,
      seedsForPower: null,
    };
  }
  const open = contradicted.length > 0 ? contradicted : findings.filter((own) => !supported.includes(own));
  const pValue =
    contradicted.length > 0
      ? Math.min(1, findings.length * Math.min(...ps(contradicted)))
      : open.some((own) => own.pValue === null)
        ? null
        : Math.max(...ps(findings));
  const reason = `${supported.length} of ${findings.length} show it; ${open.map(name).join(' ')}${without}`;
  const verdict = contradicted.length > 0 ? 'contradicted' : 'undecided';
  return { judgement: { verdict, reason, ...plain }, pValue, seedsForPower: null };
}

/** What a verdict would be without the other claims. */
function demotedWords(verdict: Verdict, adjusted: number | null): string[] {
  return adjustedVerdict(verdict, adjusted) === verdict ? [] : [`By itself it would be ${verdict}.`];
}

function pValueWords(
  plain: number | null,
  adjusted: number | null,
  family: number,
  flips: number | null,
): string[] {
  const exact = flips === null ? '' : `; exact sign flips over seeds: p = ${shortP(flips)}`;
  if (plain === null || adjusted === null) return flips === null ? [] : [`${exact.slice(2)}.`];
  const claims = family === 1 ? 'the only claim with a test' : `Holm over ${family} claims`;
  return [`p = ${shortP(plain)}, ${claims}: ${shortP(adjusted)}${exact}.`];
}

/** Which seeds are not in the mean. */
function missingWords(quantities: readonly Quantity[], { runs }: ArmFacts): string[] {
  const [first] = quantities;
  if (first === undefined || first.estimate.kind === 'absent') return [];
  const missing = first.seeds.filter(({ value, ratio }) => value === null && ratio === undefined);
  if (missing.length === 0) return [];
  const words = missing.map(({ seed, reason }) => {
    const run = runs.find((own) => own.seed === seed);
    return run?.status === 'failed' && run.failure !== null
      ? `seed ${seed} failed: ${run.failure.split('\n')[0]}`
      : (reason ?? `seed ${seed}`);
  });
  const are = missing.length === 1 ? 'is' : 'are';
  return [`${missing.length} of ${first.seeds.length} seeds ${are} not in the mean (${words.join('; ')}).`];
}

/** The strong gap of one division into two sets holds their difference in difficulty. */
function exchangeWords(own: readonly Quantity[], all: readonly Quantity[]): string[] {
  const [first] = own;
  if (first?.id !== 'internalization.strongGap' || first.estimate.kind === 'absent') return [];
  return all.some(({ id }) => id === 'internalization.strongGapExchanged')
    ? []
    : [
        'Without tag exchange: the gap includes any difference in difficulty between the two sets of new variables.',
      ];
}

/** A claim about variables before they are trained on, in runs that have trained on them. */
function jointWords({ quantity }: ClaimSpec, { runs }: ArmFacts): string[] {
  const isBefore = quantity.startsWith('alignment.') || quantity === 'transfer.gap';
  const isJoint = runs.some((run) => stageRoles(run).joint);
  return isBefore && isJoint
    ? ['Joint training: measured after the definitions of these variables have been trained on.']
    : [];
}

function claimText(spec: ClaimSpec, { runs, isTagControl }: ArmFacts): string {
  const isConfounded = weakIsConfounded(designOf(runs[0] ?? {}));
  const claim = isConfounded ? spec.claim : (spec.equallyRight ?? spec.claim);
  return spec.aboutTags === true && isTagControl ? `${claim} (a control: the tag means nothing here)` : claim;
}

const shortNumber = (value: number): string => String(Number(value.toPrecision(3)));

/** Two significant digits. */
function shortP(p: number): string {
  return String(Number(p.toPrecision(2)));
}
