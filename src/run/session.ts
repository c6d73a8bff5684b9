import { performance } from 'node:perf_hooks';
import { setImmediate } from 'node:timers/promises';
import * as tf from '@tensorflow/tfjs-core';
import { UserError } from '../../data/errors.js';
import { createStream } from '../../data/random/streams.js';
import type { RunFolder } from '../store/run-folder.js';
import type { MinibatchGradient } from '../train/gradient-function.js';
import type { MinibatchGroups } from '../train/groups/division.js';
import { Learner } from '../train/learner.js';
import { firstNonFinite } from '../train/non-finite.js';
import type { NamedTensor } from '../store/safetensors.js';
import { unpack } from '../train/parameters/layout.js';
import {
  checkpointSteps,
  removeCheckpoint,
  writeCheckpoint,
  type Checkpoint,
  type Origin,
} from './checkpoint.js';
import { Evaluation, writeMetrics, type Metrics } from './evaluation.js';
import { GradientLog } from './log/gradient-log.js';
import type { RunTables } from './log/run-tables.js';
import { reaches } from '../store/log-tier.js';
import { updatingOf } from './learning-rates.js';
import { scheduledSteps } from './log/schedule.js';
import { examplesStream, groupSizes, type Minibatch } from './minibatch.js';
import { meetingCounter, type MetPairs } from './order.js';
import { describeStages } from './description.js';
import { endsAt, Places } from './places.js';
import { keptCheckpoints, orderedStage, startStep, type RunPlan, type StagePlan } from './plan.js';
import { writeBatch, writeMeetings, writeStep } from './step-rows.js';
import { endWords, mayEndEarly, totalSteps, type StageEnd } from './stage-ends.js';
import { StageStop } from './stage-stop.js';
import { updates, type Update } from './updates.js';

/** One replica's run while it trains. */
export interface Replica {
  readonly seed: number;
  readonly folder: RunFolder;
  readonly tables: RunTables;
}

/** What a session tells those who watch it. */
export interface TrainingProgress {
  readonly stage: string;
  /** Updates of the run that are done, and of all stages. */
  readonly step: number;
  readonly totalSteps: number;
  /** Whether stages may end before those updates. */
  readonly mayEndEarly: boolean;
  readonly replicas: number;
  /** Mean loss of the running replicas' last minibatch. */
  readonly loss: number;
  /** Last metrics of each replica. */
  readonly metrics: readonly Metrics[];
}

/** What a session needs from outside. */
export interface TrainingSessionOptions {
  /** Aborted to stop at the next step, with a checkpoint. */
  readonly signal: AbortSignal;
  readonly onProgress: (progress: TrainingProgress) => void;
  /** Unix time in ms, for what people read; it may jump. */
  readonly time: () => number;
  /** Time in ms from an arbitrary start, for durations; it never goes back. */
  readonly elapsed: () => number;
}

export type SessionEnd = 'complete' | 'interrupted';

/** Longest time without giving signals and timers a chance, ms. */
const breathEvery = 50;

/** Longest time of writing without a look whether the run folder is still there and this process's, ms. */
const lookEvery = 1000;

/**
 * Trains R replicas through their stages: gradient, log, update, evaluation, checkpoint, in this order at every step
 * that has them. Stops at a step boundary when the signal is aborted.
 */
export class TrainingSession {
  private readonly learner: Learner;
  private readonly running: boolean[];
  private metrics: Metrics[] = [];
  /** Whether the next stage is the first one that the runs train, so that they are evaluated before it. */
  private begins = false;
  private lastCheckpoint = 0;
  private lastBreath = 0;
  private lastLook = 0;
  private places: Places;
  /** Steps at which each replica keeps a checkpoint. */
  private readonly kept: ReadonlySet<number>[];
  /** Parameters of replicas that have ended the stage while others go on; what the learner has of them is void. */
  private frozen: (readonly NamedTensor[])[];
  private stop: StageStop | null = null;
  /** `[replica]` of the stage that is trained. */
  private meetings: ((rows: Int32Array) => MetPairs)[] = [];

  constructor(
    private readonly plan: RunPlan,
    private readonly replicas: readonly Replica[],
    private readonly options: TrainingSessionOptions,
  ) {
    this.learner = new Learner(plan.model, replicas.length, plan.config.loss.normalisation);
    this.running = replicas.map(() => true);
    this.places = new Places(
      plan.stages,
      replicas.map(() => []),
    );
    this.kept = plan.ends.map((ends) => keptCheckpoints(plan, ends));
    this.frozen = replicas.map(() => []);
  }

  /** Replicas that have not failed. */
  get survivors(): readonly Replica[] {
    return this.replicas.filter((_, replica) => this.running[replica]);
  }

  /**
   * @param checkpoints of each replica to go on from, or null to start: all after the same update of a stage, or, of a
   *   replica that has ended the stage by then, of its end
   * @param begins whether the runs begin here, be it from checkpoints of other runs: they are evaluated first, and keep
   *   a checkpoint
   * @throws UserError when every replica has failed, or when a log cannot be written
   */
  async run(
    checkpoints: readonly Checkpoint[] | null,
    begins: boolean = checkpoints === null,
  ): Promise<SessionEnd> {
    this.begins = begins;
    const { stages } = this.plan;
    let first = 0;
    let from = 0;
    if (checkpoints === null) {
      this.learner.initialise(this.plan.seeds.map((seed) => createStream(seed, 'initialisation')));
      const { pretrained, seeds } = this.plan;
      if (pretrained !== null) this.learner.assign(seeds.map(() => pretrained.parameters));
    } else {
      const ends = checkpoints.map((own) => endsAt(own.position, stages, own.ends));
      this.places = new Places(stages, ends);
      first = Math.min(...ends.map((own) => own.length));
      from = Math.max(
        ...checkpoints.map(({ position }, i) =>
          ends[i]!.length === first && position.stage === first ? position.stageStep : 0,
        ),
      );
      this.learner.load(checkpoints.map(({ parameters }) => parameters));
      this.frozen = checkpoints.map(({ parameters }, i) => (ends[i]!.length > first ? parameters : []));
      ends.forEach((own, replica) => (this.kept[replica] = keptCheckpoints(this.plan, own)));
    }
    this.lastCheckpoint = this.options.elapsed();
    this.lastLook = this.lastCheckpoint;
    for (let stage = first; stage < stages.length; stage++) {
      const resumed = stage === first && from > 0 ? checkpoints : null;
      this.places.stage = stage;
      this.places.stageStep = resumed === null ? 0 : from;
      if ((await this.runStage(stages[stage]!, resumed)) === 'interrupted') return 'interrupted';
      if (this.frozen.some((own) => own.length > 0)) this.learner.assign(this.frozen);
      this.frozen = this.replicas.map(() => []);
    }
    this.learner.dispose();
    return 'complete';
  }

  private async runStage(stage: StagePlan, checkpoints: readonly Checkpoint[] | null): Promise<SessionEnd> {
    this.learner.beginStage(updatingOf(stage));
    if (checkpoints !== null) this.learner.loadOptimizer(checkpoints.map(({ optimizer }) => optimizer));
    this.meetings = stage.sets.map((_, replica) => meetingCounter(orderedStage(this.plan, stage, replica)));
    const evaluation = new Evaluation(this.plan, this.learner.blocks);
    const { groups } = this.plan.data[0]!;
    const log = new GradientLog(
      this.plan.config.log,
      this.plan.model,
      this.learner.blocks,
      groupSizes(stage, groups.length),
    );
    const stop = new StageStop(stage, this.learner, checkpoints?.map((own) => own.stop) ?? null);
    this.stop = stop;
    try {
      // A run that goes on from its first checkpoint has this evaluation in its tables already.
      if (this.begins) {
        this.begins = false;
        this.evaluate(evaluation, stage, true, this.active);
        this.checkpoint(this.active);
      }
      return await this.runSteps(stage, evaluation, log, stop);
    } finally {
      evaluation.dispose();
      log.dispose();
      stop.dispose();
      this.stop = null;
    }
  }

  private async runSteps(
    stage: StagePlan,
    evaluation: Evaluation,
    log: GradientLog,
    stop: StageStop,
  ): Promise<SessionEnd> {
    const { everyEpochs } = this.plan.config.evaluation;
    const evaluateEvery = Math.max(1, Math.round(everyEpochs * stage.stepsPerEpoch));
    if (this.isInterrupted()) return 'interrupted';
    const { stage: index, stageStep: from } = this.places;
    const groupsOf = ({ groupOf, chunks }: Minibatch, stageStep: number): MinibatchGroups | null =>
      log.groups(groupOf, this.replicas.length, chunks, stageStep);
    for (const update of updates(this.plan, index, this.learner, from, groupsOf)) {
      this.lookAtFolders();
      stop.begin();
      const losses = this.step(stage, log, update);
      const { stageStep } = this.places;
      const ends = stop.after(stageStep, losses, update.minibatch.rows[0]!.length);
      const ending = this.active.filter((replica) => ends[replica] !== null);
      const going = this.active.filter((replica) => ends[replica] === null);
      if (ending.length > 0) this.evaluate(evaluation, stage, true, ending);
      if (going.length > 0 && stageStep % evaluateEvery === 0) this.evaluate(evaluation, stage, false, going);
      for (const replica of ending) {
        this.endStage(stage, replica, ends[replica]!);
        if (going.length > 0) this.frozen[replica] = this.learner.parameterValues(replica);
      }
      if (ending.length > 0) this.checkpoint(ending);
      if (
        going.some((replica) => this.kept[replica]!.has(this.places.positionOf(replica).step)) ||
        this.options.elapsed() - this.lastCheckpoint > this.plan.config.checkpoint.everySeconds * 1000
      ) {
        this.checkpoint(going);
      }
      await this.breathe();
      if (going.length === 0) break;
      if (this.isInterrupted()) return 'interrupted';
    }
    return 'complete';
  }

  /** Replicas that take the updates of the stage. */
  private get active(): number[] {
    return this.replicas.flatMap((_, replica) =>
      this.running[replica] && !this.places.isWaiting(replica) ? [replica] : [],
    );
  }

  private endStage({ config, configs }: StagePlan, replica: number, end: StageEnd): void {
    const { tables } = this.replicas[replica]!;
    const { step } = this.places.positionOf(replica);
    this.places.end(replica, end);
    this.kept[replica] = keptCheckpoints(this.plan, this.places.endsOf(replica));
    const words = endWords(config.name, configs[replica]!.stop, end);
    if (words !== null) tables.event(step, words.kind, words.text, this.options.time());
  }

  /** Whether the session was told to stop while the stage has more to come; leaves a checkpoint then. */
  private isInterrupted(): boolean {
    const { active } = this;
    if (!this.options.signal.aborted || active.length === 0) return false;
    // Before its first update a stage begins from a checkpoint that is there, often the one at the end of the stage before, whose
    // optimizer the probes ask for.
    if (this.places.stageStep > 0) this.checkpoint(active);
    return true;
  }

  /** Looks at an update, logs it, and takes it. Returns the `[replica]` loss of its minibatch. */
  private step(stage: StagePlan, log: GradientLog, update: Update): number[] {
    const { config, configs, sets } = stage;
    const { minibatch, gradient, norms, clipFactors, rateFactors, gradientMs } = update;
    const { stageStep } = update.place;
    const interventions = Object.entries(update.interventions);
    const { groupOf, rows } = minibatch;
    const losses = weightedLosses(gradient);
    this.stopBrokenReplicas(update, losses);

    const beforeLog = performance.now();
    const active = new Set(this.active);
    this.places.stageStep = stageStep;
    const targets = this.replicas.map(({ tables }, replica) =>
      active.has(replica) ? { tables, place: this.places.positionOf(replica) } : null,
    );
    log.record(stageStep, gradient, groupOf, targets);
    const measureUpdate =
      reaches(this.plan.config.log.tier, 'groups') &&
      scheduledSteps(this.plan.config.log.exampleNorms)(stageStep);
    const before = measureUpdate ? this.learner.read() : null;
    const afterLog = performance.now();
    update.apply();
    const afterUpdate = performance.now();

    const updateNorms = before === null ? null : this.distanceFrom(before);
    const counts = countGroups(groupOf, this.replicas.length, this.plan.data[0]!.groups.length);
    const logMs = afterLog - beforeLog + (performance.now() - afterUpdate);
    const stepMs = gradientMs + (afterUpdate - afterLog);
    targets.forEach((target, replica) => {
      if (target === null) return;
      const { tables: own, place } = target;
      writeStep(own, this.plan.data[0]!.groups, {
        place,
        epoch: stageStep / stage.stepsPerEpoch,
        learningRate: configs[replica]!.optimizer.learningRate * rateFactors[replica]!,
        batchSize: rows[replica]!.length,
        loss: losses[replica]!,
        gradNorm: norms[replica]!,
        clipFactor: clipFactors[replica]!,
        updateNorm: updateNorms?.[replica] ?? null,
        interventions: Object.fromEntries(interventions.map(([name, own]) => [name, own[replica] ?? null])),
        stepMs,
        logMs,
        counts: counts[replica]!,
      });
      writeBatch(own, place, sets[replica]!, rows[replica]!, () =>
        examplesStream(this.plan.seeds[replica]!, config.name, stageStep),
      );
      writeMeetings(own, place, this.meetings[replica]!(rows[replica]!));
    });
    // Evaluations and checkpoints need the memory.
    update.dispose();
    const running = losses.filter((_, replica) => active.has(replica));
    this.options.onProgress({
      stage: config.name,
      ...this.places.progress,
      mayEndEarly: this.plan.stages.slice(this.places.stage).some((own) => own.configs.some(mayEndEarly)),
      replicas: running.length,
      loss: running.reduce((sum, loss) => sum + loss, 0) / running.length,
      metrics: this.metrics,
    });
    return losses;
  }

  /** `[replica]` Euclidean distance of the parameters from earlier values, which are disposed of. */
  private distanceFrom(before: readonly tf.Tensor[]): number[] {
    const distances = this.learner.distancesFrom(before);
    tf.dispose([...before]);
    return distances;
  }

  /** Ends the runs whose loss or gradient is not finite, with a word on what went first. */
  private stopBrokenReplicas(
    { place, gradient, norms, changedNorms }: Update,
    losses: readonly number[],
  ): void {
    const { active } = this;
    this.replicas.forEach(({ seed, folder, tables }, replica) => {
      const own = [losses, norms, changedNorms].map((values) => Number.isFinite(values[replica]));
      if (!active.includes(replica) || own.every(Boolean)) return;
      const before = this.places.positionOf(replica).step;
      const step = before + 1;
      const [hasLoss, hasGradient] = own;
      const where = `not finite at step ${step} of stage ${this.plan.stages[place.stage]!.config.name}`;
      let message: string;
      if (hasLoss && hasGradient) {
        message = `seed ${seed}: the gradient that the interventions made is ${where}; make them weaker`;
      } else {
        const values = this.learner.read();
        const origin = firstNonFinite(unpack(this.learner.blocks, values), gradient, replica);
        tf.dispose(values);
        message =
          `seed ${seed}: the ${hasLoss ? 'gradient' : 'loss'} is ${where}; ` +
          `first in: ${origin ?? 'the sum of squares (overflow)'}; lower the learning rate or clip the gradient`;
      }
      this.running[replica] = false;
      tables.event(step, 'nan', message, this.options.time());
      tables.close();
      folder.update({ stepsDone: before });
      folder.fail(message);
      if (this.survivors.length === 0) throw new UserError(message);
    });
  }

  private evaluate(
    evaluation: Evaluation,
    stage: StagePlan,
    full: boolean,
    replicas: readonly number[],
  ): void {
    const values = this.learner.read();
    const evaluated = evaluation.evaluate(values, full);
    tf.dispose(values);
    this.metrics = evaluated.map((own, replica) =>
      replicas.includes(replica) ? own : (this.metrics[replica] ?? own),
    );
    for (const replica of replicas) {
      const { stage: index, stageStep, step } = this.places.positionOf(replica);
      const place = { stage: index, step, epoch: stageStep / stage.stepsPerEpoch };
      writeMetrics(this.replicas[replica]!.tables, this.plan, place, this.metrics[replica]!);
    }
  }

  /** Writes checkpoints of replicas; keeps the one before, in case the process dies in between. */
  private checkpoint(replicas: readonly number[]): void {
    const { time, elapsed } = this.options;
    const isStopping = this.plan.stages.some(({ config }) => config.stop !== null);
    this.lookAtFolders(true);
    for (const replica of replicas) {
      const { seed, folder, tables } = this.replicas[replica]!;
      const position = this.places.positionOf(replica);
      const ends = this.places.endsOf(replica);
      const offsets = tables.sync();
      writeCheckpoint(
        folder.path,
        {
          position,
          seed,
          origin: originOf(folder),
          tables: offsets,
          parameters: this.learner.parameterValues(replica),
          optimizer: this.learner.optimizerValues(replica),
          ends: isStopping ? ends : [],
          stop: this.places.isWaiting(replica) ? null : this.stop!.stateOf(replica),
        },
        folder.fs,
      );
      const stages = isStopping
        ? {
            stages: describeStages(this.plan, replica, ends),
            stepsTotal: totalSteps(this.plan.stages, ends),
          }
        : {};
      folder.update({ stepsDone: position.step, ...stages });
      if (this.kept[replica]!.has(position.step) || position.step === startStep(this.plan, replica))
        tables.event(position.step, 'checkpoint', 'kept for probes', time());
    }
    for (const replica of replicas) {
      const { folder } = this.replicas[replica]!;
      for (const step of checkpointSteps(folder.path).slice(0, -2)) {
        const keep =
          this.plan.config.checkpoint.keep === 'stages' && (step === 0 || this.kept[replica]!.has(step));
        if (!keep) removeCheckpoint(folder.path, step, folder.fs);
      }
    }
    // Those that go on without one here have theirs when it is due.
    if (this.active.every((replica) => replicas.includes(replica))) this.lastCheckpoint = elapsed();
  }

  /**
   * Throws a UserError when the folder of a running replica was removed, or its lock is another process's.
   */
  private lookAtFolders(always = false): void {
    const now = this.options.elapsed();
    if (!always && now - this.lastLook < lookEvery) return;
    this.lastLook = now;
    for (const { folder, tables } of this.survivors) {
      folder.requireOwn();
      tables.requireThere();
      folder.restoreConfig();
    }
  }

  private async breathe(): Promise<void> {
    const now = performance.now();
    if (now - this.lastBreath < breathEvery) return;
    await setImmediate();
    this.lastBreath = performance.now();
  }
}

function originOf({ info: { configHash, dataHash } }: RunFolder): Origin | null {
  return configHash === undefined ? null : { configHash, dataHash };
}

/** `[replica]` weighted mean loss of the minibatch. */
function weightedLosses({ losses, exampleWeights }: MinibatchGradient): number[] {
  const [replicas, examples] = losses.shape;
  const values = losses.dataSync();
  const weights = exampleWeights.dataSync();
  return Array.from({ length: replicas }, (_, replica) => {
    let sum = 0;
    for (let i = replica * examples; i < (replica + 1) * examples; i++) sum += values[i]! * weights[i]!;
    return sum;
  });
}

function countGroups(groupOf: Int32Array, replicas: number, groups: number): Int32Array[] {
  const examples = groupOf.length / replicas;
  return Array.from({ length: replicas }, (_, replica) => {
    const counts = new Int32Array(groups);
    for (let i = replica * examples; i < (replica + 1) * examples; i++) counts[groupOf[i]!]!++;
    return counts;
  });
}
