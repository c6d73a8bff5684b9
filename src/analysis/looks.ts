import fs from 'node:fs';
import path from 'node:path';
import { z } from 'zod';
import { analysisFile } from '../store/list-runs.js';
import type { ArmAnalysis } from './analyse-arm.js';
import { analysisFolder } from './document.js';

/** One time that the claims about an arm were judged: seeds that are added until a claim is supported show here. */
export interface Look {
  /** UTC, ISO 8601. */
  readonly date: string;
  readonly seeds: readonly number[];
  /** Verdict by id of the claim; empty for an analysis of an older version. */
  readonly verdicts: Readonly<Record<string, string>>;
}

const lookSchema = z.object({
  date: z.string(),
  seeds: z.array(z.number()),
  verdicts: z.record(z.string(), z.string()),
});

const keptSchema = z.looseObject({
  seeds: z.array(z.number()),
  looks: z.array(lookSchema).optional(),
});

/** Looks that are kept: the first one and the latest. */
const most = 50;

/**
 * Adds to an analysis when it was looked at before, from the `analysis.json` that it will replace, and this time. The
 * same seeds again are no further look.
 *
 * @param folder that it will be written to
 */
export function withLooks(
  analysis: ArmAnalysis,
  now: Date,
  folder: string = analysisFolder(analysis),
): ArmAnalysis {
  const own = earlierLooks(path.join(folder, analysisFile));
  // Some of the seeds, in a folder of their own, after more of them: what was seen before counts.
  const usual = path.join(analysisFolder(analysis), analysisFile);
  const before = own.length > 0 ? own : earlierLooks(usual);
  const seeds = [...analysis.seeds].toSorted((a, b) => a - b);
  const last = before.at(-1);
  const isRepeated = last !== undefined && last.seeds.toSorted((a, b) => a - b).join() === seeds.join();
  const looks = [
    ...(isRepeated ? before.slice(0, -1) : before),
    {
      date: now.toISOString(),
      seeds,
      verdicts: Object.fromEntries(analysis.claims.map(({ id, judgement }) => [id, judgement.verdict])),
    },
  ];
  return { ...analysis, looks: looks.length > most ? [looks[0]!, ...looks.slice(1 - most)] : looks };
}

/** Looks of an analysis that is there; one of an older version counts as one. Without a file, or an unreadable one: none. */
function earlierLooks(file: string): readonly Look[] {
  try {
    const kept = keptSchema.parse(JSON.parse(fs.readFileSync(file, 'utf8')));
    if (kept.looks !== undefined) return kept.looks;
    return [{ date: fs.statSync(file).mtime.toISOString(), seeds: kept.seeds, verdicts: {} }];
  } catch {
    return [];
  }
}

/** `looked at 3 times, with 4, 6, 8 seeds`. */
export function looksText(looks: readonly Look[]): string {
  if (looks.length <= 1) return 'looked at for the first time';
  return `looked at ${looks.length} times, with ${looks.map(({ seeds }) => seeds.length).join(', ')} seeds`;
}
