import { samplingCaveat, whyNoVariancePenalty } from '../../data/samplers.js';
import { nodeEnvironment } from '../store/environment.js';
import { effectiveStatus } from '../store/run-info.js';
import { alignmentCurves, type Curve } from './alignment-curves.js';
import { armFacts } from './arm-config.js';
import { runChecks, type CheckResult } from './checks.js';
import { claimRule, judgeClaims, type Claim } from './claims.js';
import type { Look } from './looks.js';
import { penaltyCurve, type PenaltyPoint } from './penalty-curve.js';
import type { Arm } from './run-data.js';
import { questionStage } from './stages.js';
import { RunReader } from './run-reader.js';
import { sectionOf, type RunValues, type Section } from './section.js';
import { sections } from './sections/registry.js';
import { stageSampling } from './stage-sampling.js';

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
  readonly alignmentCurves: readonly Curve[];
  /** The implicit penalty as a function of batch size, at the end of the stage with questions. */
  readonly penaltyCurve: readonly PenaltyPoint[];
  /** Updates before each stage after the first. */
  readonly stageStarts: readonly { readonly step: number; readonly name: string }[];
  /** What a reader must know before believing the numbers. */
  readonly notes: readonly string[];
}

/** Reads and analyses all runs of an arm; at most one run's log is in memory at a time. */
export async function analyseArm(
  arm: Arm,
  onProgress: (runsDone: number) => void = () => {},
): Promise<ArmAnalysis> {
  const seeds = arm.runs.map(({ info }) => info.seed);
  const measured = sections.map((): (RunValues | null)[] => []);
  const curves: Curve[][] = [];
  for (const [i, run] of arm.runs.entries()) {
    const reader = new RunReader(run);
    for (const [s, section] of sections.entries()) measured[s]!.push(await section.measure(run, reader));
    curves.push(alignmentCurves(run, await reader.gradients()));
    onProgress(i + 1);
  }
  const present = sections.flatMap((spec, s) => sectionOf(spec, arm.runs, measured[s]!) ?? []);
  const quantities = present.flatMap((section) => section.quantities);
  return {
    experiment: arm.experiment,
    name: arm.name,
    seeds,
    folders: arm.runs.map(({ folder }) => folder),
    sections: present,
    claims: judgeClaims(quantities, armFacts(arm)),
    claimRule,
    checks: runChecks(quantities),
    looks: [],
    alignmentCurves: joined(curves),
    penaltyCurve: penaltyCurve(
      arm,
      present.find(({ id }) => id === 'penaltyLaw'),
    ),
    stageStarts: arm.runs[0]!.info.stages.slice(1).map(({ firstStep, name }) => ({ step: firstStep, name })),
    notes: notesOf(arm),
  };
}

/** Curves of single runs as curves over seeds. */
function joined(curves: readonly (readonly Curve[])[]): Curve[] {
  const first = curves.find((own) => own.length > 0) ?? [];
  return first.map(({ name, steps }, i) => ({
    name,
    steps,
    values: curves.flatMap((own) => own[i]?.values ?? []),
  }));
}

function notesOf({ runs }: Arm): string[] {
  const notes: string[] = [];
  const stage = questionStage(runs[0]!.info);
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
  if (!runs.some(({ tables }) => tables.has('alignment'))) {
    notes.push(
      'Alignment of single definitions with their questions needs gradients at checkpoints: npx gradscope probe ' +
        '<runs> measures them.',
    );
  }
  const open = runs.filter(({ info }) => info.status !== 'complete');
  if (open.length > 0) {
    notes.push(
      `${open.length} of ${runs.length} runs are not complete: ${open.map(({ info }) => `seed ${info.seed} is ${effectiveStatus(info, nodeEnvironment.processes).label}`).join(', ')}.`,
    );
  }
  return notes;
}
