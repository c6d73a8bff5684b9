import { samplingCaveat, whyNoVariancePenalty } from '../../data/samplers.js';
import { nodeEnvironment } from '../store/environment.js';
import { alignmentCurves, type AlignmentCurve } from './studies/minibatch/curves.js';
import { armFacts } from './arm-config.js';
import { runChecks, type CheckResult } from './checks.js';
import { claimRule, judgeClaims, type Claim } from './claims.js';
import type { Look } from './looks.js';
import { penaltyCurve, type PenaltyPoint } from './studies/penalty/curve.js';
import type { Arm } from './run-data.js';
import { RunReader } from './run-reader.js';
import { sectionOf, type RunValues, type Section, type SectionSpec } from './section.js';
import { penaltyLaw } from './studies/penalty.js';
import { sections as builtIn } from './studies/registry.js';
import { stageEndNotes } from './stage-end-notes.js';
import { stageSampling } from './stage-sampling.js';
import type { RunInfo } from '../store/run-info.js';
import { statusOfRun } from '../store/run-status.js';
import { attempt, Failures } from './failures.js';
import { endOfQuestions, questionStage, stageRoles } from '../../data/stage-roles.js';

/** What the runs of one config show. */
export interface ArmAnalysis {
  readonly experiment: string;
  readonly name: string;
  readonly seeds: readonly number[];
  readonly folders: readonly string[];
  readonly sections: readonly Section[];
  readonly claims: readonly Claim[];
  /** How the verdicts of the claims come about. */
  readonly claimRule: string;
  /** What holds by algebra or calculus where nothing is wrong. */
  readonly checks: readonly CheckResult[];
  /** When the claims were judged, with which seeds, this time last; empty before `withLooks`. */
  readonly looks: readonly Look[];
  /** Cosine of definition and question gradients in the minibatches of training. */
  readonly alignmentCurves: readonly AlignmentCurve[];
  /** The implicit penalty as a function of batch size, at the end of the stage with questions. */
  readonly penaltyCurve: readonly PenaltyPoint[];
  /** Updates before each stage after the first. */
  readonly stageStarts: readonly { readonly step: number; readonly name: string }[];
  /** What a reader must know before believing the numbers. */
  readonly notes: readonly string[];
  /** What could not be analysed, each with its run and the reason; everything else was. */
  readonly failures: readonly string[];
}

/**
 * Reads and analyses all runs of an arm; at most one run's log is in memory at a time. What cannot be read or computed, of
 * one run or of one section, is among the failures and ends nothing else.
 *
 * @param studies further sections, from outside
 */
export async function analyseArm(
  arm: Arm,
  onProgress: (runsDone: number) => void = () => {},
  studies: readonly SectionSpec[] = [],
): Promise<ArmAnalysis> {
  const sections = [...builtIn, ...studies];
  const seeds = arm.runs.map(({ info }) => info.seed);
  const failures = new Failures();
  const measured = sections.map((): (RunValues | string | null)[] => []);
  const curves: AlignmentCurve[][] = [];
  const longest = Math.max(
    ...arm.runs.map(({ info }) => (stageRoles(info).questions === null ? 0 : endOfQuestions(info))),
  );
  for (const [i, run] of arm.runs.entries()) {
    const reader = new RunReader(run);
    for (const [s, section] of sections.entries()) {
      const found = await attempt(() => section.measure(run, reader));
      if (found.failed !== null) failures.add(run.folder, section.id, found.failed);
      measured[s]!.push(found.failed ?? found.value);
    }
    const drawn = await attempt(async () => alignmentCurves(run, await reader.gradients(), longest));
    if (drawn.failed !== null) failures.add(run.folder, 'curves', drawn.failed);
    curves.push(drawn.value ?? []);
    onProgress(i + 1);
  }
  const [first] = arm.runs;
  const guarded = async <T>(what: string, otherwise: T, compute: () => T): Promise<T> => {
    const found = await attempt(async () => compute());
    if (found.failed === null) return found.value;
    failures.add(first!.folder, what, found.failed);
    return otherwise;
  };
  const present: Section[] = [];
  for (const [s, spec] of sections.entries()) {
    const section = await guarded(spec.id, null, () => sectionOf(spec, arm.runs, measured[s]!));
    if (section !== null) present.push(section);
  }
  const quantities = present.flatMap((section) => section.quantities);
  return {
    experiment: arm.experiment,
    name: arm.name,
    seeds,
    folders: arm.runs.map(({ folder }) => folder),
    sections: present,
    claims: await guarded('claims', [], () => judgeClaims(quantities, armFacts(arm))),
    claimRule,
    checks: await guarded('checks', [], () => runChecks(quantities)),
    looks: [],
    alignmentCurves: await guarded('curves', [], () => joined(curves)),
    penaltyCurve: await guarded('penalty curve', [], () =>
      penaltyCurve(
        arm,
        present.find(({ id }) => id === penaltyLaw.id),
        measured[sections.indexOf(penaltyLaw)] ?? [],
      ),
    ),
    stageStarts: first!.info.stages.slice(1).map(({ firstStep, name }) => ({ step: firstStep, name })),
    notes: await guarded('notes', [], () => notesOf(arm)),
    failures: failures.lines(),
  };
}

/** Curves of single runs as curves over seeds. */
function joined(curves: readonly (readonly AlignmentCurve[])[]): AlignmentCurve[] {
  const first = curves.find((own) => own.length > 0) ?? [];
  return first.map(({ name }, i) => {
    // The stage may have ended earlier in some seeds, which have no values from there on.
    const all = curves.flatMap((own) => own[i] ?? []);
    const { steps } = all.reduce((a, b) => (b.steps.at(-1)! > a.steps.at(-1)! ? b : a));
    // One list for every seed, also where its log could not be read.
    const values = curves.flatMap((own) =>
      (own[i]?.values ?? [[]]).map((points) => steps.map((_, k) => points[k] ?? null)),
    );
    return { name, steps, values };
  });
}

function notesOf({ runs }: Arm): string[] {
  const notes: string[] = [];
  if (stageRoles(runs[0]!.info).questions !== null) notes.push(...penaltyNotes(runs[0]!.info));
  if (!runs.some(({ tables }) => tables.has('alignment'))) {
    notes.push(
      'Alignment of single definitions with their questions needs gradients at checkpoints: npx gradscope probe ' +
        '<runs> measures them.',
    );
  }
  const open = runs.filter(({ info }) => info.status !== 'complete');
  if (open.length > 0) {
    const words = open.map(
      ({ folder, info }) => `seed ${info.seed} is ${statusOfRun(folder, info, nodeEnvironment).label}`,
    );
    notes.push(`${open.length} of ${runs.length} runs are not complete: ${words.join(', ')}.`);
  }
  notes.push(...stageEndNotes(runs.map(({ info }) => info)));
  return notes;
}

/** What the implicit penalty of these runs is not. */
function penaltyNotes(info: RunInfo): string[] {
  const notes: string[] = [];
  const stage = questionStage(info);
  const { optimizer } = stage;
  if (optimizer !== 'sgd') {
    notes.push(
      `Smith's penalty is a theorem about plain SGD; these runs use ${optimizer}: read it as a scale, not a law.`,
    );
  }
  const sampling = stageSampling(stage);
  const why = whyNoVariancePenalty(sampling);
  for (const note of [why, samplingCaveat(sampling)]) {
    if (note !== null) notes.push(`${note.charAt(0).toUpperCase()}${note.slice(1)}.`);
  }
  if (stage.freshNoise === true && why === null) {
    notes.push(
      'Training adds fresh noise at every sight of an example (noise of the model, or fresh images): it is in Gamma of ' +
        'the log, but is drawn anew for every minibatch and so no part of the penalty, whose variance part and dose are ' +
        'upper bounds here.',
    );
  }
  return notes;
}
