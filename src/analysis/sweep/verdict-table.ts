import { float64, int32, utf8, type RowOf, type TableDefinition } from '../../store/columns.js';
import { units } from '../../store/units.js';
import type { SweepAnalysis } from '../sweep.js';
import { writeTable } from '../write-table.js';
import { markOf, type SweepVerdict } from './verdicts.js';

/** The verdicts of a sweep. */
export const verdictTable = {
  name: 'verdicts',
  row: 'one prediction of a sweep',
  columns: {
    prediction: utf8('Id of the prediction.'),
    quantity: utf8('Id of the quantity that is compared.'),
    label: utf8('What the quantity is; empty where no run has it.'),
    contrast: utf8('Which arms are compared.'),
    unit: utf8('Unit of the estimate and its interval.'),
    predicted: utf8('Predicted sign: positive, negative, or none.'),
    estimate: float64('The contrast: mean over seeds; null means that there is none.', {
      unit: units.quantity,
      nullable: true,
    }),
    low: float64('Lower end of the interval; null means that there is none.', {
      unit: units.quantity,
      nullable: true,
    }),
    high: float64('Upper end of the interval.', { unit: units.quantity, nullable: true }),
    level: float64('Nominal coverage of the interval.', { nullable: true }),
    null_label: utf8('What the contrast would be without an effect.'),
    seeds: int32('Seeds that are compared with themselves, or of all arms where seeds are not paired.', {
      unit: 'seed',
    }),
    band: float64('Contrasts of up to this size are too small to matter; null where none was stated.', {
      unit: units.quantity,
      nullable: true,
    }),
    negligible: utf8(
      'yes where the contrast is shown to lie within the band, no where it is not; empty without a band.',
    ),
    verdict: utf8('supports, contradicts or inconclusive.'),
    p: float64('p-value of the test behind the verdict; null where there is none.', { nullable: true }),
    p_adjusted: float64('The same by Holm over the predictions of the file.', { nullable: true }),
    p_sign_flips: float64('p-value of sign flips over seeds; null where seeds are not paired.', {
      nullable: true,
    }),
    effect: float64("Hedges' g of the contrast, in standard deviations over seeds.", { nullable: true }),
    power: float64('Power of these seeds for an effect of the observed size.', { nullable: true }),
    seeds_for_power: int32('Seeds that an effect of the observed size needs for 80 % power.', {
      unit: 'seed',
      nullable: true,
    }),
    smallest: float64('Smallest contrast that these seeds find with 80 % power.', {
      unit: units.quantity,
      nullable: true,
    }),
    reason: utf8('The numbers behind the verdict, in a sentence.'),
    because: utf8('Why it was predicted.'),
    registration: utf8(
      'registered: made before the first run of its arms; changed, added: after it; unknown; open: no run yet.',
    ),
    mark: utf8('What is said beside a prediction that is younger than its runs; empty for others.'),
  },
} as const satisfies TableDefinition;

/** A row of {@link verdictTable}. */
export type VerdictRow = RowOf<typeof verdictTable>;

export function verdictRows(verdicts: readonly SweepVerdict[]): VerdictRow[] {
  return verdicts.map((own): VerdictRow => {
    const { prediction, estimate, power, negligible, registration } = own;
    const present = estimate.kind === 'value' ? estimate : null;
    return {
      prediction: prediction.id,
      quantity: prediction.quantity,
      label: own.label,
      contrast: own.contrast,
      unit: own.unit,
      predicted: prediction.predicted,
      estimate: present?.estimate ?? null,
      low: present?.interval?.[0] ?? null,
      high: present?.interval?.[1] ?? null,
      level: present === null || present.interval === null ? null : present.level,
      null_label: own.null,
      seeds: present?.seeds ?? 0,
      band: prediction.band,
      negligible: negligible === null ? '' : negligible ? 'yes' : 'no',
      verdict: own.verdict,
      p: own.pValue,
      p_adjusted: own.adjustedPValue,
      p_sign_flips: own.signFlipsPValue,
      effect: power.effect.kind === 'value' ? power.effect.estimate : null,
      power: power.power,
      seeds_for_power: power.seedsNeeded,
      smallest: power.smallest,
      reason: own.reason,
      because: prediction.because,
      registration,
      mark: markOf(own) ?? '',
    };
  });
}

/** Writes the table as `verdicts.arrow` into a folder, in place of an earlier one. */
export async function writeVerdictTable(
  folder: string,
  { experiment, name, hash, verdicts }: SweepAnalysis,
): Promise<void> {
  await writeTable(folder, verdictTable, verdictRows(verdicts), { experiment, sweep: name, hash });
}
