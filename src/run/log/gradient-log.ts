import type { LogConfig } from '../config.js';
import type { MinibatchGradient } from '../../train/gradient-function.js';
import { arrangeGroups, planSlots } from '../../train/groups/arrange.js';
import { GroupStatistics, type MinibatchGroups } from '../../train/groups/statistics.js';
import { TensorNorms } from '../../train/groups/tensor-norms.js';
import type { Model } from '../../train/models/model.js';
import type { ParameterBlock } from '../../train/parameters/layout.js';
import { GramRows } from './gram-rows.js';
import { reaches, type RunTables } from './run-tables.js';
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

/** Examples of each group that a slot of misplaced examples holds, as a share of the minibatch. */
const slotShare = 1 / 10;

/**
 * Writes the gradient log of R replicas. What it needs is computed from the factors that training returns anyway, in
 * functions of its own, after the gradient and before the update; it never touches training state.
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
  private sizes: readonly number[] = [];
  private slots = 0;

  constructor(
    private readonly config: LogConfig,
    model: Model,
    blocks: readonly ParameterBlock[],
    private readonly groups: readonly string[],
  ) {
    const parameters = model.parameters.map(({ name }) => name);
    const { tier } = config;
    this.statistics = new GroupStatistics(parameters);
    this.norms = tier === 'norms' ? new TensorNorms(parameters, blocks) : null;
    this.gramRows = new GramRows(groups.length, parameters.length);
    this.vectorRows = new VectorRows(model, groups.length, config.sketchSize, config.sketchSeed);
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
   * Starts a stage.
   *
   * @param sizes training examples of each group
   */
  beginStage(sizes: readonly number[]): void {
    this.sizes = sizes;
    this.slots = 0;
  }

  /**
   * Logs one minibatch.
   *
   * @param groupOf `[replica, example]` group of each example, sorted as {@link arrangeGroups} says for the chunks of
   *   the gradient
   * @param tables of each replica; null for one that has stopped
   */
  record(
    place: StepPlace,
    gradient: MinibatchGradient,
    groupOf: Int32Array,
    tables: readonly (RunTables | null)[],
  ): void {
    if (this.norms !== null) {
      const norms2 = this.norms.measure(gradient.blocks);
      tables.forEach((own, replica) => own && this.gramRows.writeNorms(own, place, norms2, replica));
      return;
    }
    const { stageStep } = place;
    const gram = this.isGramStep(stageStep);
    const exampleNorms = this.isExampleStep(stageStep);
    const sketch = this.isSketchStep(stageStep);
    const vectors = this.isVectorStep(stageStep);
    if (!gram && !exampleNorms && !sketch && !vectors) return;
    const minibatch = this.divide(gradient, groupOf);
    const counts = tables.map((_, replica) => this.count(groupOf, replica, tables.length));
    if (gram || exampleNorms) {
      const grams = this.statistics.gram(gradient, minibatch);
      const norms2 = exampleNorms ? this.statistics.exampleNorms2(gradient, minibatch) : null;
      tables.forEach(
        (own, replica) =>
          own && this.gramRows.write(own, place, replica, counts[replica]!, grams, norms2, groupOf),
      );
    }
    if (sketch || vectors) {
      const parts = this.statistics.gradients(gradient, minibatch);
      this.vectorRows.write(tables, place, counts, parts, { sketch, vectors });
    }
  }

  dispose(): void {
    this.statistics.dispose();
    this.norms?.dispose();
  }

  private divide(gradient: MinibatchGradient, groupOf: Int32Array): MinibatchGroups {
    const [replicas, examples] = gradient.losses.shape;
    const { owners } = arrangeGroups(this.sizes, gradient.chunks);
    const capacity = Math.max(4, Math.ceil(examples * slotShare));
    const groups = this.groups.length;
    let slots = planSlots(groupOf, replicas, groups, owners, capacity, this.slots);
    if (slots.slots > this.slots) {
      // Room for a few more than seen: every other number of slots is another graph to build.
      this.slots = slots.slots + 2;
      slots = planSlots(groupOf, replicas, groups, owners, capacity, this.slots);
    }
    return { groups, groupOf, slots };
  }

  private count(groupOf: Int32Array, replica: number, replicas: number): Int32Array {
    const examples = groupOf.length / replicas;
    const counts = new Int32Array(this.groups.length);
    for (let i = replica * examples; i < (replica + 1) * examples; i++) counts[groupOf[i]!]!++;
    return counts;
  }
}
