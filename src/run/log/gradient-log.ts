import { reaches } from '../../store/log-tier.js';
import type { LogConfig } from '../config.js';
import type { MinibatchGradient } from '../../train/gradient-function.js';
import { divide, type MinibatchGroups } from '../../train/groups/division.js';
import { GroupStatistics } from '../../train/groups/statistics.js';
import { TensorNorms } from '../../train/groups/tensor-norms.js';
import type { Model } from '../../train/models/model.js';
import type { ParameterBlock } from '../../train/parameters/layout.js';
import { GramRows } from './gram-rows.js';
import type { RunTables } from './run-tables.js';
import { scheduledSteps } from './schedule.js';
import { VectorRows } from './vector-rows.js';

/** Which step of the run a record is about. */
export interface StepPlace {
  readonly stage: number;
  /** Updates of the whole run, this one included. */
  readonly step: number;
  /** Updates of the stage, this one included. */
  readonly stageStep: number;
}

/** Where the record of a replica's minibatch goes. */
export interface LogTarget {
  readonly tables: RunTables;
  readonly place: StepPlace;
}

/**
 * Writes the gradient log of R replicas in one stage. The Gram matrices of the groups come with the gradient; what is
 * logged more rarely is computed from the factors that training returns anyway, in functions of its own, after the gradient
 * and before the update. It never touches training state.
 */
export class GradientLog {
  private readonly statistics: GroupStatistics;
  private readonly norms: TensorNorms | null;
  private readonly gramRows: GramRows;
  private readonly vectorRows: VectorRows;
  private readonly isGramStep: (step: number) => boolean;
  private readonly isExampleStep: (step: number) => boolean;
  private readonly isSketchStep: (step: number) => boolean;
  private readonly isVectorStep: (step: number) => boolean;
  /** Sizes of the groups that the stage has examples of; no other group is computed. */
  private readonly sizes: readonly number[];
  /** Number of each of the run's groups among those of the stage, -1 where it is none of them. */
  private readonly indexOf: Int32Array;

  /** @param sizes training examples of each of the run's groups in the stage */
  constructor(config: LogConfig, model: Model, blocks: readonly ParameterBlock[], sizes: readonly number[]) {
    const present = sizes.map((_, group) => group).filter((group) => sizes[group]! > 0);
    this.sizes = present.map((group) => sizes[group]!);
    this.indexOf = Int32Array.from(sizes, (_, group) => present.indexOf(group));
    const parameters = model.parameters.map(({ name }) => name);
    const { tier } = config;
    this.statistics = new GroupStatistics(parameters);
    this.norms = tier === 'norms' ? new TensorNorms(parameters, blocks) : null;
    this.gramRows = new GramRows(present, parameters.length);
    this.vectorRows = new VectorRows(model, present, config.sketchSize, config.sketchSeed);
    const when = (
      needed: 'groups' | 'sketch' | 'full',
      schedule: LogConfig['gram'],
    ): ((step: number) => boolean) => (reaches(tier, needed) ? scheduledSteps(schedule) : () => false);
    this.isGramStep = when('groups', config.gram);
    this.isExampleStep = when('groups', config.exampleNorms);
    this.isSketchStep = when('sketch', config.sketch);
    this.isVectorStep = when('full', config.vectors);
  }

  /**
   * The groups of a minibatch, for the gradient to come with their Gram matrices; null at steps that log none.
   *
   * @param groupOf `[replica, example]` group of each example, sorted as `arrangeGroups` says for the chunks
   */
  groups(groupOf: Int32Array, replicas: number, chunks: 1 | 2, stageStep: number): MinibatchGroups | null {
    if (!this.isGramStep(stageStep) && !this.isExampleStep(stageStep)) return null;
    return this.divide(groupOf, replicas, chunks);
  }

  /**
   * Logs one minibatch.
   *
   * @param gradient of the groups that {@link groups} gave for the minibatch
   * @param groupOf `[replica, example]` group of each example, as it was given there
   * @param targets of each replica; null for one that has stopped
   */
  record(
    stageStep: number,
    gradient: MinibatchGradient,
    groupOf: Int32Array,
    targets: readonly (LogTarget | null)[],
  ): void {
    if (this.norms !== null) {
      const norms2 = this.norms.measure(gradient.blocks);
      targets.forEach(
        (own, replica) => own && this.gramRows.writeNorms(own.tables, own.place, norms2, replica),
      );
      return;
    }
    const sketch = this.isSketchStep(stageStep);
    const vectors = this.isVectorStep(stageStep);
    const { grams } = gradient;
    if (grams === null && !sketch && !vectors) return;
    const minibatch = gradient.groups ?? this.divide(groupOf, targets.length, gradient.chunks);
    const counts = targets.map((_, replica) => countGroups(minibatch, replica, targets.length));
    if (grams !== null) {
      const matrices = grams();
      const norms2 = this.isExampleStep(stageStep)
        ? this.statistics.exampleNorms2(gradient, minibatch)
        : null;
      targets.forEach(
        (own, replica) =>
          own &&
          this.gramRows.write(
            own.tables,
            own.place,
            replica,
            counts[replica]!,
            matrices,
            norms2,
            minibatch.groupOf,
          ),
      );
    }
    if (sketch || vectors) {
      const parts = this.statistics.gradients(gradient, minibatch);
      this.vectorRows.write(targets, counts, parts, { sketch, vectors });
    }
  }

  dispose(): void {
    this.statistics.dispose();
    this.norms?.dispose();
  }

  private divide(groupOf: Int32Array, replicas: number, chunks: 1 | 2): MinibatchGroups {
    return divide(
      groupOf.map((group) => this.indexOf[group]!),
      replicas,
      this.sizes,
      chunks,
    );
  }
}

/** Examples of each group in the minibatch of one replica. */
function countGroups({ groups, groupOf }: MinibatchGroups, replica: number, replicas: number): Int32Array {
  const examples = groupOf.length / replicas;
  const counts = new Int32Array(groups);
  for (let i = replica * examples; i < (replica + 1) * examples; i++) counts[groupOf[i]!]!++;
  return counts;
}
