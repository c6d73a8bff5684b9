import {
  cosineSeries,
  alignmentPairs,
  meanCosine,
  type AlignedTag,
  type StepRange,
} from './minibatch-alignment.js';
import { readGroupGradients, type GroupGradients } from './group-gradients.js';
import { judgeClaims, type Claim } from './claims.js';
import { gapOf, readMetrics, type GapKind, type MetricsOfRun } from './internalization.js';
import { minibatchVariance, smithPenalty } from './minibatch-variance.js';
import {
  contrastQuantity,
  quantityAgainst,
  seedValue,
  sizeQuantity,
  type Quantity,
  type SeedValue,
} from './quantity.js';
import { questionStage, type Arm, type RunData } from './run-data.js';

/** A curve over steps: one line of a chart, with the seeds behind it. */
export interface Curve {
  readonly name: string;
  readonly steps: readonly number[];
  /** `[seed][point]`; null where there is no value. */
  readonly values: readonly (readonly (number | null)[])[];
}

/** What the runs of one config show. */
export interface ArmAnalysis {
  readonly experiment: string;
  readonly name: string;
  readonly seeds: readonly number[];
  readonly folders: readonly string[];
  readonly gaps: readonly Quantity[];
  readonly alignment: readonly Quantity[];
  readonly variance: readonly Quantity[];
  /** Cosine of definition and question gradients over the stage with questions. */
  readonly alignmentCurves: readonly Curve[];
  /** Updates before each stage after the first. */
  readonly stageStarts: readonly { readonly step: number; readonly name: string }[];
  readonly claims: readonly Claim[];
  /** What a reader must know before believing the numbers. */
  readonly notes: readonly string[];
}

/** Share of the stage with questions, at its end, over which the variance is averaged. */
const lateShare = 0.2;

/** Points of a curve over training. */
const curvePoints = 60;

/** Reads and analyses all runs of an arm; at most one run's log is in memory at a time. */
export async function analyseArm(
  arm: Arm,
  onProgress: (runsDone: number) => void = () => {},
): Promise<ArmAnalysis> {
  const results: RunResult[] = [];
  for (const run of arm.runs) {
    results.push(await analyseRun(run));
    onProgress(results.length);
  }
  const perSeed = (pick: (result: RunResult) => number | string): SeedValue[] =>
    results.map((result) => seedValue(result.seed, pick(result)));
  const gap = (kind: GapKind, metric: 'accuracy' | 'margin'): Quantity =>
    contrastQuantity(
      `${kind} gap, ${metric}`,
      metric === 'accuracy' ? 'accuracy' : 'nats',
      perSeed(({ gaps }) => gaps[`${kind} ${metric}`]!),
      '0, the same in both subsets',
    );
  const alignment = (tag: AlignedTag): Quantity =>
    quantityAgainst(
      `cosine, ${tag} tag`,
      '1',
      perSeed(({ cosines }) => cosines[tag].matched),
      "questions of the other tag's variables",
      perSeed(({ cosines }) => cosines[tag].mismatched),
    );
  const variance = (name: string, unit: string, key: keyof VarianceResult): Quantity =>
    sizeQuantity(
      name,
      unit,
      perSeed(({ variance: own }) => (typeof own === 'string' ? own : own[key])),
    );
  const gaps = [
    gap('weak', 'accuracy'),
    gap('weak', 'margin'),
    gap('strong', 'accuracy'),
    gap('strong', 'margin'),
  ];
  const alignments = [
    alignment('reliable'),
    alignment('unreliable'),
    quantityAgainst(
      'cosine, reliable - unreliable',
      '1',
      perSeed(({ cosines: { reliable, unreliable } }) => difference(reliable.matched, unreliable.matched)),
      "the same with questions of the other tag's variables",
      perSeed(({ cosines: { reliable, unreliable } }) =>
        difference(reliable.mismatched, unreliable.mismatched),
      ),
    ),
  ];
  return {
    experiment: arm.experiment,
    name: arm.name,
    seeds: results.map(({ seed }) => seed),
    folders: arm.runs.map(({ folder }) => folder),
    gaps,
    alignment: alignments,
    claims: judgeClaims([...gaps, ...alignments]),
    variance: [
      variance('gradient variance Gamma', 'nats^2/parameter^2', 'gamma'),
      variance('squared norm of the full gradient', 'nats^2/parameter^2', 'meanNorm2'),
      variance('simple noise scale', 'examples', 'noiseScale'),
      variance("Smith's penalty, variance part", 'nats', 'variancePenalty'),
      variance("Smith's penalty, norm part", 'nats', 'normPenalty'),
    ],
    alignmentCurves: curvesOf(results),
    stageStarts: arm.runs[0]!.info.stages.slice(1).map(({ firstStep, name }) => ({ step: firstStep, name })),
    notes: notesOf(arm),
  };
}

interface VarianceResult {
  readonly gamma: number;
  readonly meanNorm2: number;
  readonly noiseScale: number | string;
  readonly variancePenalty: number;
  readonly normPenalty: number;
}

interface RunResult {
  readonly seed: number;
  readonly gaps: Readonly<Record<string, number | string>>;
  readonly cosines: Readonly<Record<AlignedTag, { matched: number | string; mismatched: number | string }>>;
  readonly variance: VarianceResult | string;
  readonly curves: readonly { name: string; steps: readonly number[]; values: readonly (number | null)[] }[];
}

async function analyseRun(run: RunData): Promise<RunResult> {
  const metrics = await readMetrics(run);
  const gradients = await readGroupGradients(run);
  const stage = questionStage(run.info);
  const last = stage.firstStep + stage.steps;
  const late: StepRange = { from: Math.floor(last - lateShare * stage.steps), to: last };
  const whole: StepRange = { from: stage.firstStep, to: last };
  const missing = 'the log of this run has no Gram matrices (tier groups and above keep them)';
  const cosines = (tag: AlignedTag): { matched: number | string; mismatched: number | string } => {
    const { definitions, questions, mismatched } = alignmentPairs[tag];
    if (gradients === null) return { matched: missing, mismatched: missing };
    return {
      matched: meanCosine(gradients, definitions, questions, whole),
      mismatched: meanCosine(gradients, definitions, mismatched, whole),
    };
  };
  return {
    seed: run.info.seed,
    gaps: gapsOf(run, metrics),
    cosines: { reliable: cosines('reliable'), unreliable: cosines('unreliable') },
    variance: gradients === null ? missing : varianceOf(run, gradients, late),
    curves: gradients === null ? [] : runCurves(gradients, last),
  };
}

function gapsOf(run: RunData, metrics: MetricsOfRun): Record<string, number | string> {
  const gaps: Record<string, number | string> = {};
  for (const kind of ['weak', 'strong'] as const) {
    for (const metric of ['accuracy', 'margin'] as const) {
      gaps[`${kind} ${metric}`] = gapOf(run, metrics, kind, metric);
    }
  }
  return gaps;
}

function varianceOf(run: RunData, gradients: GroupGradients, range: StepRange): VarianceResult | string {
  const { examples, batchSize, learningRate } = questionStage(run.info);
  const variance = minibatchVariance(gradients, examples, range);
  if (typeof variance === 'string') return variance;
  const penalty = smithPenalty(variance, learningRate, batchSize, examples);
  return {
    gamma: variance.gamma,
    meanNorm2: variance.meanNorm2,
    noiseScale: variance.noiseScale ?? 'the squared norm of the full gradient is not above its noise',
    variancePenalty: penalty.variance,
    normPenalty: penalty.norm,
  };
}

const curveNames = {
  reliable: { matched: 'reliable tag, own questions', mismatched: 'reliable tag, other questions' },
  unreliable: { matched: 'unreliable tag, own questions', mismatched: 'unreliable tag, other questions' },
} as const;

function runCurves(gradients: GroupGradients, last: number): RunResult['curves'] {
  const width = Math.max(1, Math.ceil(last / curvePoints));
  return (['reliable', 'unreliable'] as const).flatMap((tag) => {
    const { definitions, questions, mismatched } = alignmentPairs[tag];
    return (
      [
        [curveNames[tag].matched, questions],
        [curveNames[tag].mismatched, mismatched],
      ] as const
    ).map(([name, group]) => {
      const { steps, cosines } = cosineSeries(gradients, definitions, group, last, width);
      return { name, steps, values: cosines };
    });
  });
}

function curvesOf(results: readonly RunResult[]): Curve[] {
  const first = results.find(({ curves }) => curves.length > 0)?.curves ?? [];
  return first.map(({ name, steps }, i) => ({
    name,
    steps,
    values: results.flatMap(({ curves }) => (curves[i] === undefined ? [] : [curves[i].values])),
  }));
}

function difference(a: number | string, b: number | string): number | string {
  if (typeof a === 'string') return a;
  return typeof b === 'string' ? b : a - b;
}

function notesOf({ runs }: Arm): string[] {
  const notes: string[] = [];
  const { optimizer, sampler } = questionStage(runs[0]!.info);
  if (optimizer !== 'sgd') {
    notes.push(
      `Smith's penalty is a theorem about plain SGD; these runs use ${optimizer}: read it as a scale, not a law.`,
    );
  }
  if (sampler === 'withReplacement') {
    notes.push("Minibatches drawn with replacement have no variance term in Smith's penalty at this order.");
  }
  const open = runs.filter(({ info }) => info.status !== 'complete');
  if (open.length > 0) {
    notes.push(
      `${open.length} of ${runs.length} runs are not complete: ${open.map(({ info }) => `seed ${info.seed} is ${info.status}`).join(', ')}.`,
    );
  }
  return notes;
}
