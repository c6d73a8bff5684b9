import { readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import type { CheckResult } from '../../src/analysis/checks.js';
import type { Claim } from '../../src/analysis/claims.js';
import { analysisFormatVersion } from '../../src/analysis/document.js';
import type { Section } from '../../src/analysis/section.js';
import { analysisFile } from '../../src/store/list-runs.js';
import { analysisPath } from '../../src/store/run-paths.js';

const interval = z.tuple([z.number(), z.number()]).readonly();

export const estimateSchema = z.discriminatedUnion('kind', [
  z.looseObject({ kind: z.literal('absent'), reason: z.string() }),
  z.looseObject({
    kind: z.literal('value'),
    estimate: z.number(),
    interval: interval.nullable(),
    missing: z.string().nullable(),
    pValue: z.number().nullable(),
    seeds: z.number(),
  }),
]);

const controlSchema = z.looseObject({
  id: z.string(),
  label: z.string(),
  estimate: estimateSchema,
  difference: estimateSchema,
});

export const quantitySchema = z.looseObject({
  id: z.string(),
  label: z.string(),
  /** For tables below the title of its section; absent where that is the label, and in files of older versions. */
  shortLabel: z.string().optional(),
  unit: z.string(),
  estimate: estimateSchema,
  null: z
    .discriminatedUnion('kind', [
      z.looseObject({ kind: z.literal('zero'), label: z.string() }),
      z.looseObject({
        kind: z.literal('measured'),
        label: z.string(),
        estimate: estimateSchema,
        difference: estimateSchema,
      }),
    ])
    .nullable(),
  controls: z.array(controlSchema).default([]),
  /** p-value against the null after Holm over the section; null where there is none. */
  adjustedPValue: z.number().nullable().default(null),
  seeds: z.array(z.looseObject({ seed: z.number(), value: z.number().nullable() })),
});

const documentSchema = z.looseObject({
  formatVersion: z.literal(analysisFormatVersion),
  seeds: z.array(z.number()),
  sections: z.array(
    z.looseObject({
      id: z.string(),
      title: z.string(),
      quantities: z.array(quantitySchema),
      notes: z.array(z.string()).default([]),
    }),
  ),
  claims: z.array(
    z.looseObject({
      id: z.string(),
      claim: z.string(),
      quantities: z.array(z.string()),
      judgement: z.looseObject({ verdict: z.string(), reason: z.string() }),
    }),
  ),
  checks: z.array(
    z.looseObject({
      id: z.string(),
      check: z.string(),
      quantity: z.string(),
      passed: z.boolean(),
      reason: z.string(),
    }),
  ),
  notes: z.array(z.string()),
});

/** An estimate as the file holds it: what the screen needs of it. */
export type ShownEstimate = z.infer<typeof estimateSchema>;
export type ShownQuantity = z.infer<typeof quantitySchema>;

/** A section as it is shown, from the file or computed. */
export interface ShownSection {
  readonly id: string;
  readonly title: string;
  readonly quantities: readonly ShownQuantity[];
  /** What a reader must know of the estimates before believing them. */
  readonly notes: readonly string[];
}

export interface ShownClaim {
  readonly id: string;
  readonly claim: string;
  readonly quantities: readonly string[];
  readonly judgement: { readonly verdict: string; readonly reason: string };
}

/** Something that holds by algebra or calculus where nothing is wrong. */
export type ShownCheck = Pick<CheckResult, 'id' | 'check' | 'quantity' | 'passed' | 'reason'>;

/** What `gradscope analyze` wrote about an arm. */
export interface AnalysisRead {
  readonly path: string;
  /** Last change, ms since 1970. */
  readonly written: number;
  readonly seeds: readonly number[];
  readonly sections: readonly ShownSection[];
  readonly claims: readonly ShownClaim[];
  readonly checks: readonly ShownCheck[];
  readonly notes: readonly string[];
}

/** Where the analysis of a run's arm is: `<folder of its runs>/analysis/<name>/analysis.json`. */
export const analysisPathOf = (runFolder: string, name: string): string =>
  path.join(analysisPath(path.join(runFolder, '..'), name), analysisFile);

/** Reads the analysis of an arm; null where there is none, a reason where it is not one that is understood. */
export async function readAnalysis(file: string): Promise<AnalysisRead | string | null> {
  const found = await stat(file).catch(() => null);
  if (found === null) return null;
  try {
    const content: unknown = JSON.parse(await readFile(file, 'utf8'));
    const version = versionSchema.safeParse(content).data?.formatVersion;
    if (version !== undefined && version < analysisFormatVersion) {
      return `${file} was made by an older version: run npx gradscope analyze again (numbers are computed from the tables)`;
    }
    return { path: file, written: found.mtimeMs, ...documentSchema.parse(content) };
  } catch {
    return `${file} is not an analysis that this version reads: numbers are computed from the tables`;
  }
}

const versionSchema = z.looseObject({ formatVersion: z.number() });

/** A section of the analysis functions as it is shown. */
export function shownSection({ id, title, quantities, notes }: Section): ShownSection {
  return {
    id,
    title,
    notes,
    quantities: quantities.map((own): ShownQuantity => ({
      id: own.id,
      label: own.label,
      shortLabel: own.shortLabel,
      unit: own.unit,
      estimate: { ...own.estimate },
      null:
        own.null === null
          ? null
          : own.null.kind === 'zero'
            ? { ...own.null }
            : {
                ...own.null,
                estimate: { ...own.null.estimate },
                difference: { ...own.null.difference },
              },
      controls: own.controls.map((control) => ({
        id: control.id,
        label: control.label,
        estimate: { ...control.estimate },
        difference: { ...control.difference },
      })),
      adjustedPValue: own.adjustedPValue,
      seeds: own.seeds.map((seed) => ({ ...seed })),
    })),
  };
}

export const shownClaim = ({ id, claim, quantities, judgement }: Claim): ShownClaim => ({
  id,
  claim,
  quantities,
  judgement: { verdict: judgement.verdict, reason: judgement.reason },
});
