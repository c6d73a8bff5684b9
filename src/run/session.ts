import fs from 'node:fs';
import { performance } from 'node:perf_hooks';
import { setImmediate } from 'node:timers/promises';
import * as tf from '@tensorflow/tfjs-core';
import { UserError } from '../../data/errors.js';
import { createStream } from '../../data/random/streams.js';
import type { FileSystem } from '../store/file-system.js';
import type { RunFolder } from '../store/run-folder.js';
import type { MinibatchGradient } from '../train/gradient-function.js';
import type { MinibatchGroups } from '../train/groups/division.js';
import { Learner } from '../train/learner.js';
import { firstNonFinite } from '../train/non-finite.js';
import { unpack } from '../train/parameters/layout.js';
import {
  checkpointSteps,
  removeCheckpoint,
  writeCheckpoint,
  type Checkpoint,
  type Origin,
  type Position,
} from './checkpoint.js';
import { Evaluation, writeMetrics, type Metrics } from './evaluation.js';
import { GradientLog } from './log/gradient-log.js';
import type { RunTables } from './log/run-tables.js';
import { reaches } from '../store/log-tier.js';
import { updatingOf } from './learning-rates.js';
import { scheduledSteps } from './log/schedule.js';
import { examplesStream, groupSizes, type Minibatch } from './minibatch.js';
import { meetingCounter, type MetPairs } from './order.js';
import { keptCheckpoints, orderedStage, startStep, type RunPlan, type StagePlan } from './plan.js';
import { writeBatch, writeMeetings, writeStep } from './step-rows.js';
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
  readonly replicas: number;
  /** Mean loss of the running replicas' last minibatch. */
  readonly loss: number;
  /** Last metrics of each replica. */
  readonly metrics: readonly Metrics[];
}

/** What a session needs from outside. */
export interface TrainingSessionOptions {
  readonly fileSystem: FileSystem;
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
  private position: Position = { stage: 0, stageStep: 0, step: 0 };
  private readonly keptSteps: ReadonlySet<number>;
  /** `[replica]` of the stage that is trained. */
  private meetings: ((rows: Int32Array) => MetPairs)[] = [];

  constructor(
    private readonly plan: RunPlan,
    private readonly replicas: readonly Replica[],
    private readonly options: TrainingSessionOptions,
  ) {
    this.learner = new Learner(plan.model, replicas.length, plan.config.loss.normalisation);
    this.running = replicas.map(() => true);
    this.keptSteps = new Set(keptCheckpoints(plan));
  }

  /** Replicas that have not failed. */
  get survivors(): readonly Replica[] {
    return this.replicas.filter((_, replica) => this.running[replica]);
  }

  /**
   * @param checkpoints of each replica to go on from, all at the same position, or null to start
   * @param begins whether the runs begin here, be it from checkpoints of other runs: they are evaluated first, and keep
   *   a checkpoint
   * @throws UserError when every replica has failed, or when a log cannot be written
   */
  async run(
    checkpoints: readonly Checkpoint[] | null,
    begins: boolean = checkpoints === null,
  ): Promise<SessionEnd> {
    this.begins = begins;
    if (checkpoints === null) {
      this.learner.initialise(this.plan.seeds.map((seed) => createStream(seed, 'initialisation')));
    } else {
      this.position = checkpoints[0]!.position;
      this.learner.load(checkpoints.map(({ parameters }) => parameters));
    }
    this.lastCheckpoint = this.options.elapsed();
    this.lastLook = this.lastCheckpoint;
    let resumed = checkpoints;
    for (let stage = this.position.stage; stage < this.plan.stages.length; stage++) {
      const plan = this.plan.stages[stage]!;
      if (resumed !== null && this.position.stage === stage && this.position.stageStep >= plan.steps)
        continue;
      const from = resumed !== null && this.position.stage === stage ? resumed : null;
      if (from === null) this.position = { stage, stageStep: 0, step: plan.firstStep };
      if ((await this.runStage(plan, from)) === 'interrupted') return 'interrupted';
      resumed = null;
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
    try {
      // A run that goes on from its first checkpoint has this evaluation in its tables already.
      if (this.begins) {
        this.begins = false;
        this.evaluate(evaluation, stage, true);
        this.checkpoint();
      }
      return await this.runSteps(stage, evaluation, log);
    } finally {
      evaluation.dispose();
      log.dispose();
    }
  }

  private async runSteps(stage: StagePlan, evaluation: Evaluation, log: GradientLog): Promise<SessionEnd> {
    const { steps, stepsPerEpoch } = stage;
    const evaluateEvery = Math.max(1, Math.round(this.plan.config.evaluation.everyEpochs * stepsPerEpoch));
    if (this.stopsBefore(steps)) return 'interrupted';
    const { stage: index, stageStep: from } = this.position;
    const groupsOf = ({ groupOf, chunks }: Minibatch, stageStep: number): MinibatchGroups | null =>
      log.groups(groupOf, this.replicas.length, chunks, stageStep);
    for (const update of updates(this.plan, index, this.learner, from, groupsOf)) {
      this.lookAtFolders();
      this.step(stage, log, update);
      const { stageStep } = this.position;
      const last = stageStep === steps;
      if (last || stageStep % evaluateEvery === 0) this.evaluate(evaluation, stage, last);
      if (
        this.keptSteps.has(this.position.step) ||
        this.options.elapsed() - this.lastCheckpoint > this.plan.config.checkpoint.everySeconds * 1000
      ) {
        this.checkpoint();
      }
      await this.breathe();
      if (this.stopsBefore(steps)) return 'interrupted';
    }
    return 'complete';
  }

  /** Whether the session was told to stop and the stage of `steps` updates has more to come; leaves a checkpoint then. */
  private stopsBefore(steps: number): boolean {
    if (!this.options.signal.aborted || this.position.stageStep >= steps) return false;
    this.checkpoint();
    return true;
  }

  /** Looks at an update, logs it, and takes it. */
  private step(stage: StagePlan, log: GradientLog, update: Update): void {
    const { config, configs, sets } = stage;
    const { place, minibatch, gradient, norms, clipFactors, rateFactors, gradientMs } = update;
    const interventions = Object.entries(update.interventions);
    const { groupOf, rows } = minibatch;
    const losses = weightedLosses(gradient);
    this.stopBrokenReplicas(update, losses);

    const beforeLog = performance.now();
    const tables = this.replicas.map(({ tables: own }, replica) => (this.running[replica] ? own : null));
    log.record(place, gradient, groupOf, tables);
    const measureUpdate =
      reaches(this.plan.config.log.tier, 'groups') &&
      scheduledSteps(this.plan.config.log.exampleNorms)(place.stageStep);
    const before = measureUpdate ? this.learner.read() : null;
    const afterLog = performance.now();
    update.apply();
    const afterUpdate = performance.now();

    const updateNorms = before === null ? null : this.distanceFrom(before);
    const counts = countGroups(groupOf, this.replicas.length, this.plan.data[0]!.groups.length);
    const logMs = afterLog - beforeLog + (performance.now() - afterUpdate);
    const stepMs = gradientMs + (afterUpdate - afterLog);
    this.replicas.forEach(({ tables: own }, replica) => {
      if (!this.running[replica]) return;
      writeStep(own, this.plan.data[0]!.groups, {
        place,
        epoch: place.stageStep / stage.stepsPerEpoch,
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
        examplesStream(this.plan.seeds[replica]!, config.name, place.stageStep),
      );
      writeMeetings(own, place, this.meetings[replica]!(rows[replica]!));
    });
    // Evaluations and checkpoints need the memory.
    update.dispose();
    this.position = { stage: place.stage, stageStep: place.stageStep, step: place.step };
    const running = losses.filter((_, replica) => this.running[replica]);
    this.options.onProgress({
      stage: config.name,
      step: place.step,
      totalSteps: this.plan.totalSteps,
      replicas: running.length,
      loss: running.reduce((sum, loss) => sum + loss, 0) / running.length,
      metrics: this.metrics,
    });
  }

  /** `[replica]` Euclidean distance of the parameters from earlier values, which are disposed of. */
  private distanceFrom(before: readonly tf.Tensor[]): number[] {
    const squares = tf.tidy(() => {
      const now = this.learner.read();
      return tf.addN(now.map((value, i) => tf.sum(tf.squaredDifference(value, before[i]!), 1)));
    });
    const distances = Array.from(squares.dataSync(), Math.sqrt);
    tf.dispose([squares, ...before]);
    return distances;
  }

  /** Ends the runs whose loss or gradient is not finite, with a word on what went first. */
  private stopBrokenReplicas(
    { place, gradient, norms, changedNorms }: Update,
    losses: readonly number[],
  ): void {
    this.replicas.forEach(({ seed, folder, tables }, replica) => {
      const own = [losses, norms, changedNorms].map((values) => Number.isFinite(values[replica]));
      if (!this.running[replica] || own.every(Boolean)) return;
      const [hasLoss, hasGradient] = own;
      const where = `not finite at step ${place.step} of stage ${this.plan.stages[place.stage]!.config.name}`;
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
      tables.event(place.step, 'nan', message, this.options.time());
      tables.close();
      folder.update({ stepsDone: this.position.step });
      folder.end('failed', message);
      if (this.survivors.length === 0) throw new UserError(message);
    });
  }

  private evaluate(evaluation: Evaluation, stage: StagePlan, full: boolean): void {
    const values = this.learner.read();
    this.metrics = evaluation.evaluate(values, full);
    tf.dispose(values);
    const place = {
      stage: this.position.stage,
      step: this.position.step,
      epoch: this.position.stageStep / stage.stepsPerEpoch,
    };
    this.replicas.forEach(({ tables }, replica) => {
      if (this.running[replica]) writeMetrics(tables, this.plan, place, this.metrics[replica]!);
    });
  }

  /** Writes a checkpoint of every running replica; keeps the one before, in case the process dies in between. */
  private checkpoint(): void {
    const { fileSystem, time, elapsed } = this.options;
    const { position } = this;
    this.lookAtFolders(true);
    this.replicas.forEach(({ seed, folder, tables }, replica) => {
      if (!this.running[replica]) return;
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
        },
        fileSystem,
      );
      folder.update({ stepsDone: position.step });
      if (this.keptSteps.has(position.step) || position.step === startStep(this.plan))
        tables.event(position.step, 'checkpoint', 'kept for probes', time());
    });
    for (const { folder } of this.survivors) {
      for (const step of checkpointSteps(folder.path).slice(0, -2)) {
        const keep =
          this.plan.config.checkpoint.keep === 'stages' && (step === 0 || this.keptSteps.has(step));
        if (!keep) removeCheckpoint(folder.path, step, fileSystem);
      }
    }
    this.lastCheckpoint = elapsed();
  }

  /**
   * Throws a UserError when the folder of a running replica was removed, or its lock is another process's: whatever is
   * written from then on would be lost, or spoil what that process writes.
   */
  private lookAtFolders(always = false): void {
    const now = this.options.elapsed();
    if (!always && now - this.lastLook < lookEvery) return;
    this.lastLook = now;
    for (const { folder, tables } of this.survivors) {
      requireOwn(folder);
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

function requireOwn(folder: RunFolder): void {
  if (folder.isStillOurs()) return;
  throw new UserError(
    fs.existsSync(folder.path)
      ? `${folder.path}: its lock is no longer this process's (removed, or taken by another process); nothing more is written`
      : `${folder.path}: was removed or moved while the run wrote it; start the run again`,
  );
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
