import { readdir, readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import { sweepFormatVersion } from '../../src/analysis/sweep.js';
import { sweepFile } from '../../src/store/list-runs.js';
import { estimateSchema, quantitySchema } from './analysis-file.js';

const runSchema = z.looseObject({
  arm: z.string(),
  seed: z.number(),
  outcome: z.number().nullable(),
  mediator: z.number().nullable(),
  kappa: z.number().nullable(),
  updates: z.number().nullable(),
  loss: z.number().nullable(),
  distance: z.number().nullable(),
});

const documentSchema = z.looseObject({
  formatVersion: z.literal(sweepFormatVersion),
  name: z.string(),
  hash: z.string(),
  arms: z.array(z.looseObject({ name: z.string(), quantities: z.array(quantitySchema) })),
  verdicts: z.array(
    z.looseObject({
      prediction: z.looseObject({ id: z.string(), predicted: z.string(), because: z.string() }),
      contrast: z.string(),
      label: z.string(),
      unit: z.string(),
      estimate: estimateSchema,
      verdict: z.string(),
      reason: z.string(),
      adjustedPValue: z.number().nullable(),
      registration: z.enum(['registered', 'changed', 'added', 'unknown', 'open']),
    }),
  ),
  evidence: z.looseObject({
    outcomeLabel: z.string(),
    mediatorLabel: z.string().nullable(),
    arms: z.array(z.looseObject({ name: z.string(), outcome: estimateSchema, mediator: estimateSchema })),
    runs: z.array(runSchema),
  }),
});

/** What `gradscope sweep` wrote, as far as the screen needs it. */
export type ShownSweep = z.infer<typeof documentSchema>;

/** The results of a sweep beside a run. */
export interface SweepPlace {
  readonly name: string;
  readonly path: string;
  /** Last change, ms since 1970. */
  readonly written: number;
}

/** The sweeps with results in the folder of a run's experiment, by name. */
export async function sweepsBeside(run: string): Promise<SweepPlace[]> {
  const folder = path.join(path.dirname(run), 'sweeps');
  const names = await readdir(folder).catch((): string[] => []);
  const found = await Promise.all(
    names.toSorted().map(async (name): Promise<SweepPlace[]> => {
      const file = path.join(folder, name, sweepFile);
      const written = await stat(file).then(
        ({ mtimeMs }) => mtimeMs,
        () => null,
      );
      return written === null ? [] : [{ name, path: file, written }];
    }),
  );
  return found.flat();
}

/** The results in a file, or why they cannot be shown. */
export async function readSweep({ path: file }: SweepPlace): Promise<ShownSweep | string> {
  let content: unknown;
  try {
    content = JSON.parse(await readFile(file, 'utf8'));
  } catch (error) {
    return `${file}: cannot be read (${error instanceof Error ? error.message : 'unknown'})`;
  }
  const parsed = documentSchema.safeParse(content);
  if (parsed.success) return parsed.data;
  const version = z.looseObject({ formatVersion: z.number() }).safeParse(content).data?.formatVersion;
  return version !== undefined && version < sweepFormatVersion
    ? `${file}: was made by an older version: run npx gradscope sweep <file> --report again`
    : `${file}: ${parsed.error.issues[0]?.path.join('.')}: no results of a sweep`;
}
