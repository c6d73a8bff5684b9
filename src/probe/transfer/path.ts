import * as tf from '@tensorflow/tfjs-core';
import { blockProducts, blockwise, type BlockVectors } from '../../train/parameters/block-vectors.js';
import { meanLosses, questionInputs } from '../transfer.js';
import { DefinitionShares } from './shares.js';
import { tables } from '../../store/tables/registry.js';
import type { TableWriter } from '../../store/table-writer.js';
import { gradientFunction } from '../../train/gradient-function.js';
import type { ParameterBlock } from '../../train/parameters/layout.js';
import { setGradientFunction, type SetGradientFunction } from '../../train/set-gradients.js';
import {
  parameterCount,
  trainingFieldNames,
  type Model,
  type ModelInputs,
} from '../../train/models/model.js';
import { rolesOf, type StagePlan } from '../../run/plan.js';
import { replayStage, type ReplayedUpdate } from '../../run/replay.js';
import { ToolCache, type ProbedRun, type ProbeSpec } from '../probe.js';

/** A variable whose definition the stage trains on, with its held-out questions. */
interface Followed {
  /** Number of the entity in the panel. */
  readonly entity: number;
  /** Number of the question set. */
  readonly set: number;
}

/** Numbers of all gradients that are held at once: 512 MB of float32. */
const mostNumbers = 1 << 27;

/**
 * The path integral of transfer over the stage that trains definitions only: `sum_t g_q(theta_t) . (theta_{t+1} -
 * theta_t)` for the questions of every variable of the panel (TracIn: Pruthi et al. 2020), against the change of their
 * loss. The stage is taken again from the checkpoint before it.
 */
export const transferPathProbe: ProbeSpec = {
  name: 'transfer-path',
  tables: [tables.transfer_path],
  create: () => {
    const gradients = new ToolCache(setGradientFunction);
    // The graphs of the training step, which the runs of one config share.
    const steps = {
      example: new ToolCache((model, blocks) => gradientFunction(model, blocks, 'example')),
      token: new ToolCache((model, blocks) => gradientFunction(model, blocks, 'token')),
    };
    return {
      begin: (run, open) => {
        const writer = open(tables.transfer_path);
        const { plan } = run;
        const { newDefinitions, joint } = rolesOf(plan);
        const stage = joint ? -1 : (newDefinitions ?? -1);
        return ({ step, checkpoint }) => {
          const own = plan.stages[stage];
          if (own === undefined || stage === 0 || step !== own.firstStep || own.steps === 0) return;
          const followed = followedIn(run, own, plan.model);
          if (followed.length === 0) return;
          const path = new PathRecorder(run, stage, followed, writer);
          // The blocks of the stage are not those of the checkpoint before it.
          const { normalisation } = plan.config.loss;
          const stepOf = (blocks: readonly ParameterBlock[]) => steps[normalisation].of(run, blocks);
          for (const update of replayStage(plan, stage, checkpoint, stepOf)) {
            if (update.step > run.lastStep) break;
            path.record(update, gradients.of(run, update.learner.blocks));
          }
          path.dispose();
          writer.flush();
        };
      },
      dispose: () => {
        for (const cache of [gradients, steps.example, steps.token]) cache.dispose();
      },
    };
  },
};

/** Entities of the panel that the stage defines, as many as memory allows. */
function followedIn({ panel, onMessage }: ProbedRun, { sets }: StagePlan, model: Model): Followed[] {
  const defined = new Set(sets[0]!.variable);
  const all = panel.questionSets.flatMap(({ entity, kind }, set) =>
    kind === 'heldout' && defined.has(panel.entities[entity]!.variable) ? [{ entity, set }] : [],
  );
  const most = Math.floor(mostNumbers / parameterCount(model));
  if (all.length <= most) return all;
  onMessage(`transfer_path follows ${most} of ${all.length} variables: the model is too large for more`);
  return all.slice(0, most);
}

/** Follows the questions of variables through a stage. */
class PathRecorder {
  private readonly questions: ModelInputs;
  /** Gradients of the questions before the coming update, `[followed, size]`, and their losses. */
  private asked: { readonly blocks: tf.Tensor[]; readonly losses: number[] } | null = null;
  private startLosses: readonly number[] = [];
  private readonly shares: DefinitionShares;

  constructor(
    private readonly run: ProbedRun,
    private readonly stage: number,
    private readonly followed: readonly Followed[],
    private readonly writer: TableWriter<typeof tables.transfer_path>,
  ) {
    this.questions = questionInputs(
      run.panel,
      trainingFieldNames(run.plan.model),
      followed.map(({ set }) => set),
    );
    const { entities } = run.panel;
    this.shares = new DefinitionShares(
      run.plan,
      stage,
      followed.map(({ entity }) => entities[entity]!.variable),
    );
  }

  record(update: ReplayedUpdate, gradient: SetGradientFunction): void {
    const { before, after } = update;
    const asked = this.asked ?? this.ask(before, gradient);
    if (this.asked === null) this.startLosses = asked.losses;
    const next = this.ask(after, gradient);
    const change = blockwise(tf.sub, after, before);
    const predicted = blockProducts(asked.blocks, change);
    const ending = blockProducts(next.blocks, change);
    tf.dispose(change);

    const seen = this.shares.add(update, gradient);
    const contributions = this.shares.changes(asked.blocks, update);

    const { entities } = this.run.panel;
    const count = this.followed.length;
    this.followed.forEach(({ entity }, i) => {
      const parts = { own: 0, same: 0, other: 0 };
      this.followed.forEach((other, j) => {
        const value = contributions[i * count + j]!;
        const same = entities[other.entity]!.subset === entities[entity]!.subset;
        parts[i === j ? 'own' : same ? 'same' : 'other'] += value;
      });
      this.writer.append({
        stage: this.stage,
        step: update.step,
        subset: entities[entity]!.subset,
        variable: entities[entity]!.variable,
        seen: seen.has(i),
        predicted: predicted[i]!,
        midpoint: (predicted[i]! + ending[i]!) / 2,
        own: parts.own,
        same_tag: parts.same,
        other_tag: parts.other,
        loss: next.losses[i]!,
        start_loss: this.startLosses[i]!,
      });
    });
    tf.dispose(asked.blocks);
    this.asked = next;
  }

  dispose(): void {
    tf.dispose([this.questions, this.asked?.blocks ?? []]);
    this.shares.dispose();
  }

  private ask(
    values: BlockVectors,
    gradient: SetGradientFunction,
  ): { blocks: tf.Tensor[]; losses: number[] } {
    const { losses, blocks } = gradient(values, this.questions);
    const asked = { blocks: [...blocks], losses: meanLosses(losses) };
    losses.dispose();
    return asked;
  }
}
