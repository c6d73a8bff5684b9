import { z } from 'zod';

/** What the arm of a sweep can have at the key of an axis. */
export type AxisValue = number | string | boolean;

const scaleSchema = z.enum(['linear', 'log']);

/** A key of the config that a sweep varies. */
export interface SweepAxis {
  readonly key: string;
  /** For figures and tables. */
  readonly label: string;
  /** Of the axis in figures and trends. */
  readonly scale: z.infer<typeof scaleSchema>;
}

/** The value of an arm on the only axis of a sweep, where that is a number; null elsewhere. */
export function axisNumber({ values }: { readonly values: readonly AxisValue[] }): number | null {
  const [value] = values;
  return values.length === 1 && typeof value === 'number' ? value : null;
}

/** Which arms of a sweep are compared, and how. */
const contrastSchema = z.discriminatedUnion('kind', [
  /** `arm - minus`. */
  z.object({ kind: z.literal('difference'), arm: z.string(), minus: z.string() }),
  /** Least-squares slope over the value that the arms have at a key; on a log scale per doubling. */
  z.object({
    kind: z.literal('trend'),
    key: z.string(),
    scale: scaleSchema,
    arms: z.array(z.object({ arm: z.string(), at: z.number() })),
  }),
]);

export type SweepContrast = z.infer<typeof contrastSchema>;

/** What is expected of a contrast of a quantity between the arms of a sweep. */
export const sweepPredictionSchema = z.object({
  id: z.string(),
  /** Id of the quantity; where it has a null that is measured, the quantity less that is compared. */
  quantity: z.string(),
  contrast: contrastSchema,
  /** Whether a seed of one arm is compared with the same seed of another. */
  paired: z.boolean(),
  /** Above 0, below 0, or within the band. */
  predicted: z.enum(['positive', 'negative', 'none']),
  /** Contrasts from minus this to this are too small to matter; null where none was stated. */
  band: z.number().nullable(),
  /** Why, in one sentence. */
  because: z.string(),
});

export type SweepPrediction = z.infer<typeof sweepPredictionSchema>;

/** Names of the arms that a contrast compares. */
export function armsOfContrast(contrast: SweepContrast): string[] {
  return contrast.kind === 'difference'
    ? [contrast.arm, contrast.minus]
    : contrast.arms.map(({ arm }) => arm);
}

/** A contrast in a few words: `small - large`, `slope over stages.0.batchSize (log2)`. */
export function contrastWords(contrast: SweepContrast): string {
  return contrast.kind === 'difference'
    ? `${contrast.arm} - ${contrast.minus}`
    : `slope over ${contrast.key}${contrast.scale === 'log' ? ' per doubling' : ''}`;
}
