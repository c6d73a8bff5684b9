import { stat } from 'node:fs/promises';
import path from 'node:path';
import { readPanelAlignment } from '../../src/analysis/studies/alignment/cosines.js';
import { readMetrics } from '../../src/analysis/studies/internalization/metrics.js';
import type { Ratio } from '../../src/analysis/inference/ratio.js';
import { isRatio, type RunValue } from '../../src/analysis/quantity.js';
import type { RunData } from '../../src/analysis/run-data.js';
import { quantitiesBefore, sectionOf, type SectionSpec } from '../../src/analysis/section.js';
import { sections } from '../../src/analysis/studies/registry.js';
import {
  analysisPathOf,
  readAnalysis,
  shownSection,
  type AnalysisRead,
  type ShownSection,
} from './analysis-file.js';
import { orReason, type RunSource } from './run-source.js';

/** Values of one run for a section by key; a text is the reason why there is none. */
export type MeasuredSection = Readonly<Record<string, number | Ratio | string>> | null;

/** A section with where its numbers come from. */
export interface ArmSection extends ShownSection {
  /** For people: the file, or `computed from the tables of 3 runs`. */
  readonly source: string;
}

/** Numbers of runs and arms through the functions of the analysis, each measured once for each state of a run. */
export class ArmNumbers {
  readonly #measured = new Map<
    string,
    { readonly version: string; readonly value: Promise<MeasuredSection> }
  >();

  /** What a section says of one run. */
  measure(run: RunSource, id: string): Promise<MeasuredSection> {
    const spec = sections.find((own) => own.id === id);
    if (spec === undefined) return Promise.resolve(null);
    const key = `${run.entry.path}\n${id}`;
    const half = run.entry.exchanged?.info;
    const version = `${run.tables.version} ${run.info.status} ${run.info.stepsDone} ${half?.updated}`;
    const known = this.#measured.get(key);
    if (known?.version === version) return known.value;
    const value = measure(run, spec);
    this.#measured.set(key, { version, value });
    return value;
  }

  /**
   * A section over the runs of an arm: from its `analysis.json` where that is of these seeds and newer than their
   * tables, else measured here. Null where no run has what it is about.
   */
  async section(arm: readonly RunSource[], id: string): Promise<ArmSection | null> {
    const file = await usableAnalysis(arm);
    const written = file?.sections.find((own) => own.id === id);
    if (file !== null && written !== undefined) {
      return { ...written, source: shortSource(file.path) };
    }
    const spec = sections.find((own) => own.id === id);
    if (spec === undefined) return null;
    const [measured, data]: [MeasuredSection[], RunData[]] = [[], []];
    for (const run of arm) {
      measured.push(await this.measure(run, id));
      data.push(await run.data());
    }
    const section = sectionOf(spec, data, measured);
    const count = `${arm.length} ${arm.length === 1 ? 'run' : 'runs'}`;
    return section === null
      ? null
      : { ...shownSection(section), source: `computed from the tables of ${count}` };
  }
}

/** `analysis/<name>/analysis.json`: the folder of the runs is on screen. */
export const shortSource = (file: string): string => file.split(path.sep).slice(-3).join('/');

/** The analysis of an arm, where it is of exactly these seeds and not older than their tables. */
export async function usableAnalysis(arm: readonly RunSource[]): Promise<AnalysisRead | null> {
  const [first] = arm;
  if (first === undefined) return null;
  const read = await readAnalysis(analysisPathOf(first.entry.path, first.info.name));
  if (read === null || typeof read === 'string') return null;
  const seeds = arm.map(({ seed }) => seed).toSorted((a, b) => a - b);
  if (
    read.seeds.length !== seeds.length ||
    read.seeds.toSorted((a, b) => a - b).some((own, i) => own !== seeds[i])
  )
    return null;
  for (const run of arm) {
    // A run folder changes when a table is added or replaced; its run.json when the run goes on.
    const half = run.entry.exchanged?.path;
    const folders = half === undefined ? [run.entry.path] : [run.entry.path, half];
    for (const file of folders.flatMap((folder) => [folder, path.join(folder, 'run.json')])) {
      const found = await stat(file).catch(() => null);
      if (found === null || found.mtimeMs > read.written) return null;
    }
  }
  return read;
}

async function measure(run: RunSource, spec: SectionSpec): Promise<MeasuredSection> {
  const measured = await orReason(async () => {
    const data = await run.data();
    const alignment = () => readPanelAlignment(data);
    const values = await spec.measure(data, {
      run: data,
      gradients: () => run.log.read(run.info),
      alignment,
      metrics: () => readMetrics(data),
    });
    return values === null ? null : meansOf(values);
  });
  if (measured.kind === 'value') return measured.value;
  const known = quantitiesBefore(spec, run.info);
  return known === null ? null : Object.fromEntries(known.map(({ id }) => [id, measured.reason]));
}

/**
 * Values of entities as their mean. What single entities say takes bootstraps and permutations, which `gradscope analyze`
 * does; the interval over seeds is the same without them.
 */
function meansOf(values: Readonly<Record<string, RunValue>>): Record<string, number | Ratio | string> {
  return Object.fromEntries(
    Object.entries(values).map(([key, value]) => {
      if (typeof value === 'number' || typeof value === 'string' || isRatio(value)) return [key, value];
      if (value.length === 0) return [key, 'there is no entity'];
      return [key, value.reduce((sum, own) => sum + own, 0) / value.length];
    }),
  );
}
