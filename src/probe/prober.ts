import { setImmediate } from 'node:timers/promises';
import * as tf from '@tensorflow/tfjs-core';
import { UserError } from '../../data/errors.js';
import { createStream } from '../../data/random/streams.js';
import { choosePanel } from './panel/panel.js';
import { nodeEnvironment } from '../store/environment.js';
import { nodeFileSystem } from '../store/file-system.js';
import { acquireLock } from '../store/lock.js';
import { settleLocks } from '../store/settle-locks.js';
import { configPath, readRunInfo } from '../store/run-folder.js';
import { tables } from '../store/tables/registry.js';
import { NewTables } from '../store/new-tables.js';
import { filePath } from '../store/table-paths.js';
import { Learner } from '../train/learner.js';
import { readFittingCheckpoint } from '../run/checkpoint-fit.js';
import { checkpointSteps } from '../run/checkpoint.js';
import { comingUpdate, loggedUpdates } from '../run/coming-update.js';
import { dimensionsOf, metadataOf } from '../run/description.js';
import { updatingOf } from '../run/learning-rates.js';
import { planRuns, withKnownEnds } from '../run/plan.js';
import { endsOf } from '../run/stage-ends.js';
import type { Instrument, Moment, OpenTable, ProbedRun, ProbeOptions, ProbeSpec } from './probe.js';
import { probes } from './registry.js';
import type { RunRequest } from '../run/request.js';
import { loadExperimentsOf } from '../run/experiment-module.js';
import { readStoredConfig, requireSamePlan } from '../run/run-config.js';

/** How far the probing of a run has come. */
export interface ProbeProgress {
  readonly folder: string;
  /** Updates before the checkpoint, and of the whole run. */
  readonly step: number;
  readonly totalSteps: number;
  /** Share of the run's probes that are done. */
  readonly share: number;
}

/** Who is told of it. */
export interface ProbeWatch {
  readonly onProgress: (progress: ProbeProgress) => void;
  /** One line for people. */
  readonly onMessage: (message: string) => void;
}

function wantedProbes({ only }: ProbeOptions): ProbeSpec[] {
  return probes.filter(({ name }) => only?.includes(name) ?? true);
}

/** Whether a run has every table that its probes write. */
export function isProbed(folder: string, options: ProbeOptions): boolean {
  // The tables of tokens came later: a run that was probed before is not probed again for them alone.
  const optional = new Set<string>([
    ...(options.factors ? [] : [tables.factors.name]),
    ...(options.activations.length > 0 ? [] : [tables.activations.name]),
    tables.panel_tokens.name,
    tables.token_alignment.name,
  ]);
  return wantedProbes(options)
    .flatMap((probe) => probe.tables)
    .every(({ name }) => optional.has(name) || nodeFileSystem.exists(filePath(folder, name)));
}

/**
 * Probes the checkpoints of runs with every registered probe. Trains nothing, changes nothing but the tables it writes
 * into the run folder; earlier ones stay until the new ones are whole.
 */
export class Prober {
  private readonly wanted: readonly ProbeSpec[];
  private readonly instruments: readonly Instrument[];

  constructor(
    private readonly options: ProbeOptions,
    private readonly request: Pick<RunRequest, 'engine'>,
    private readonly watch: ProbeWatch,
  ) {
    this.wanted = wantedProbes(options);
    this.instruments = this.wanted.map((probe) => probe.create());
  }

  /** See {@link isProbed}. */
  isProbed(folder: string): boolean {
    return isProbed(folder, this.options);
  }

  /** Throws a UserError for a folder that is no run, is being written, or has no checkpoints. */
  async probe(folder: string): Promise<void> {
    await settleLocks([folder], nodeEnvironment, (text) => this.watch.onMessage(text));
    const lock = acquireLock(folder, nodeEnvironment);
    try {
      const info = readRunInfo(folder);
      const { seed } = info;
      await loadExperimentsOf(configPath(folder));
      const { config } = readStoredConfig(folder);
      const steps = checkpointSteps(folder);
      if (steps.length === 0) throw new UserError(`${folder}: there is no checkpoint to probe`);
      const planned = planRuns([{ config, seed, ends: endsOf(info) }], info.exchangeOf !== undefined);
      requireSamePlan(folder, info, planned, 0);
      const plan = withKnownEnds(planned);
      const panel = choosePanel(plan.data[0]!, this.options, createStream(seed, 'panel'), () =>
        createStream(seed, 'panel/examples'),
      );
      const run: ProbedRun = {
        plan,
        modelKey: JSON.stringify([config.model, config.loss, plan.data[0]!.shape]),
        seed,
        lastStep: steps.at(-1)!,
        checkpoints: steps.length,
        panel,
        options: this.options,
        onMessage: (message) => this.watch.onMessage(`${folder}: ${message}`),
      };
      const written = new NewTables(folder);
      const open: OpenTable = (table) =>
        written.open({
          table,
          dimensions: dimensionsOf(plan),
          metadata: metadataOf(plan, 0, this.request),
        });
      try {
        await this.probeSteps(folder, steps, run, open, info.configHash);
        if (!lock.isStillOurs()) {
          throw new UserError(
            `${folder}: another process took the folder over; its tables stay as they were`,
          );
        }
        await written.publish(this.wanted.flatMap((probe) => probe.tables).map(({ name }) => name));
      } finally {
        written.discard();
      }
    } finally {
      lock.release();
    }
  }

  dispose(): void {
    for (const instrument of this.instruments) instrument.dispose();
  }

  private async probeSteps(
    folder: string,
    steps: readonly number[],
    run: ProbedRun,
    open: OpenTable,
    configHash: string | undefined,
  ): Promise<void> {
    const { plan } = run;
    const ends = new Set([0, ...plan.stages.map(({ firstStep, steps: own }) => firstStep + own)]);
    const measures = this.instruments.map((instrument) => instrument.begin(run, open));
    const logged = await loggedUpdates(folder);
    for (const [i, step] of steps.entries()) {
      this.watch.onProgress({ folder, step, totalSteps: plan.totalSteps, share: i / steps.length });
      const checkpoint = readFittingCheckpoint(plan, 0, folder, step, configHash);
      const { stage, stageStep } = checkpoint.position;
      const learner = new Learner(plan.model, 1, plan.config.loss.normalisation);
      learner.load([checkpoint.parameters]);
      learner.beginStage(updatingOf(plan.stages[stage]!));
      if (stageStep > 0) learner.loadOptimizer([checkpoint.optimizer]);
      const values = learner.read();
      const preconditioner = learner.preconditioner(stageStep);
      const unseen = learner.unseen(stageStep);
      const moment: Moment = {
        stage,
        step,
        end: ends.has(step),
        checkpoint,
        blocks: learner.blocks,
        values,
        preconditioner,
        unseen,
        coming: comingUpdate(run.plan, stage, stageStep, logged),
      };
      for (const [m, measure] of measures.entries()) {
        measure(moment);
        const share = (i + (m + 1) / measures.length) / steps.length;
        this.watch.onProgress({ folder, step, totalSteps: plan.totalSteps, share });
        // Signals and timers get their turn.
        await setImmediate();
      }
      tf.dispose([values, preconditioner ?? [], unseen ?? []]);
      learner.dispose();
    }
  }
}
