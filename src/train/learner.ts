import * as tf from '@tensorflow/tfjs-core';
import type { RandomStream } from '../../data/random/streams.js';
import type { NamedTensor } from '../store/safetensors.js';
import { createVariable, type Variable } from './engine/variable.js';
import { gradientFunction, type GradientFunction, type MinibatchGradient } from './gradient-function.js';
import type { MinibatchGroups } from './groups/division.js';
import type { Model, ModelInputs } from './models/model.js';
import { optimizerRule, type OptimizerConfig } from './optimizers/registry.js';
import type { Momentum, OptimizerRule } from './optimizers/rule.js';
import { planBlocks, type ParameterBlock, type Placement } from './parameters/layout.js';

/** How a stage updates parameters. */
export interface Updating {
  readonly optimizer: OptimizerConfig;
  /** Full learning rate of a parameter. */
  readonly learningRate: (parameter: string) => number;
}

/**
 * R replicas of a model that learn together: their parameters, the state of their optimizer, and the functions that
 * compute a minibatch's gradient and take a step with it. Knows nothing of data, stages, logs or files.
 */
export class Learner {
  private variables: Variable[] = [];
  private slots: Record<string, Variable>[] = [];
  private rule: OptimizerRule | null = null;
  /** Full learning rate of each block. */
  private rates: number[] = [];
  private compute: GradientFunction | null = null;
  private currentBlocks: readonly ParameterBlock[] = [];

  /**
   * @param normalisation see {@link gradientFunction}
   * @param shared gives a gradient function that outlives the learner and that others use too, for the same model and
   *   normalisation; null: the learner has its own
   */
  constructor(
    readonly model: Model,
    readonly replicas: number,
    private readonly normalisation: 'example' | 'token',
    private readonly shared: ((blocks: readonly ParameterBlock[]) => GradientFunction) | null = null,
  ) {}

  /** Blocks in which parameters are stored. */
  get blocks(): readonly ParameterBlock[] {
    return this.currentBlocks;
  }

  /** Starts with initial parameters; `random` has one stream for each replica. */
  initialise(random: readonly RandomStream[]): void {
    this.load(
      random.map((stream) =>
        this.model.parameters.map(({ name, shape, initialise }) => ({
          name,
          shape,
          values: initialise(stream),
        })),
      ),
    );
  }

  /** Starts with given parameters, one list for each replica. Throws when one is missing or has another size. */
  load(parameters: readonly (readonly NamedTensor[])[]): void {
    this.setBlocks(
      planBlocks(this.model.parameters, () => '', true),
      parameters,
    );
  }

  /** Starts a stage: a fresh optimizer, and blocks as it needs them. Parameters keep their values. */
  beginStage({ optimizer, learningRate }: Updating): void {
    const values = Array.from({ length: this.replicas }, (_, replica) => this.parameterValues(replica));
    this.rule = optimizerRule(optimizer);
    const blocks = planBlocks(
      this.model.parameters,
      (name) => String(learningRate(name)),
      this.rule.elementwise,
    );
    this.setBlocks(blocks, values);
    this.rates = blocks.map(({ parameters }) => learningRate(parameters[0]!.name));
    const { rule } = this;
    this.slots = this.variables.map((_, i) =>
      Object.fromEntries(
        Object.entries(rule.slots(this.updateShape(i))).map(([slot, shape]) => [slot, zeroVariable(shape)]),
      ),
    );
  }

  /** Gradient of a minibatch; see {@link GradientFunction}. */
  gradient(inputs: ModelInputs, chunks: 1 | 2, groups: MinibatchGroups | null = null): MinibatchGradient {
    const values = this.read();
    const result = this.compute!(values, inputs, chunks, groups);
    tf.dispose(values);
    return result;
  }

  /**
   * Takes a step.
   *
   * @param gradients of the blocks, `[replica, size]`, before clipping
   * @param clipFactors of each replica
   * @param rateFactors of each replica, on the full learning rates: the schedule
   * @param step updates of the stage, this one included
   */
  update(
    gradients: readonly tf.Tensor[],
    clipFactors: readonly number[],
    rateFactors: readonly number[],
    step: number,
  ): void {
    const clips = clipFactors.some((factor) => factor < 1);
    this.variables.forEach((variable, i) => {
      const rates = rateFactors.map((factor) => factor * this.rates[i]!);
      const clipped = tf.tidy(() => {
        const gradient = gradients[i]!;
        const scaled = clips ? tf.mul(gradient, tf.tensor(clipFactors, [this.replicas, 1])) : gradient;
        return tf.reshape(scaled, this.updateShape(i));
      });
      this.rule!.update(variable, this.slots[i]!, clipped, { learningRates: rates, step });
      clipped.dispose();
    });
  }

  /** How the stage's optimizer remembers gradients. */
  get momentum(): Momentum {
    return this.rule?.momentum ?? { decay: 0, biasCorrected: false };
  }

  /**
   * What one more example's gradient is multiplied by on its way into the parameters, learning rate included, as the
   * optimizer's state has it ({@link OptimizerRule.preconditioner}): `[replica, size]` of each block, or null before
   * the first update of the stage. The caller disposes of them.
   *
   * @param step updates of the stage that are done
   */
  preconditioner(step: number): tf.Tensor[] | null {
    if (this.rule === null || this.slots.length === 0) return null;
    const diagonals = this.slots.map((slots) => this.rule!.preconditioner(slots, step));
    if (diagonals.some((own) => own === null)) {
      tf.dispose(diagonals.filter((own) => own !== null));
      return null;
    }
    return diagonals.map((own, i) => {
      const shape: [number, number] = [this.replicas, this.currentBlocks[i]!.size];
      const result = tf.tidy(() => {
        const scaled = tf.mul(own!, this.rates[i]!);
        return own!.rank === 0 ? tf.broadcastTo(scaled, shape) : tf.reshape(scaled, shape);
      });
      own!.dispose();
      return result;
    });
  }

  /**
   * Where the optimizer has no second moments yet ({@link OptimizerRule.unseenAbove}): 1 there and 0 elsewhere, `[replica,
   * size]` of each block, or null before the first update of the stage. The caller disposes of them.
   */
  unseen(step: number): tf.Tensor[] | null {
    const { rule } = this;
    if (rule === null || this.slots.length === 0) return null;
    const diagonals = this.slots.map((slots) => rule.preconditioner(slots, step));
    const masks = diagonals.map((own, i) => {
      if (own === null) return null;
      const shape: [number, number] = [this.replicas, this.currentBlocks[i]!.size];
      return tf.tidy(() => {
        const mask = tf.cast(tf.greater(own, rule.unseenAbove), 'float32');
        return own.rank === 0 ? tf.broadcastTo(mask, shape) : tf.reshape(mask, shape);
      });
    });
    tf.dispose(diagonals.filter((own) => own !== null));
    const present = masks.filter((own) => own !== null);
    if (present.length === masks.length) return present;
    tf.dispose(present);
    return null;
  }

  /** Present values of the blocks, `[replica, size]`; the caller disposes of them before the next update. */
  read(): tf.Tensor[] {
    return this.variables.map((variable, i) => {
      const value = variable.read();
      if (value.shape.length === 2) return value;
      const flat = tf.reshape(value, [this.replicas, this.currentBlocks[i]!.size]);
      value.dispose();
      return flat;
    });
  }

  /** Parameters of one replica, in the model's order. */
  parameterValues(replica: number): NamedTensor[] {
    const parts = new Map(
      this.variables.flatMap((variable, i) =>
        this.splitBlock(i, variable, replica).map((part) => [part.name, part]),
      ),
    );
    return this.model.parameters.map(({ name }) => parts.get(name)!);
  }

  /** Optimizer state of one replica, named `slot/parameter`. */
  optimizerValues(replica: number): NamedTensor[] {
    return this.slots.flatMap((slots, i) =>
      Object.entries(slots).flatMap(([slot, variable]) =>
        this.splitBlock(i, variable, replica).map((part) => ({ ...part, name: `${slot}/${part.name}` })),
      ),
    );
  }

  /**
   * Puts back what {@link optimizerValues} returned, one list for each replica. Call after {@link beginStage}.
   * Throws when a tensor is missing or has another size.
   */
  loadOptimizer(state: readonly (readonly NamedTensor[])[]): void {
    this.slots.forEach((slots, i) => {
      for (const [slot, variable] of Object.entries(slots)) this.fillBlock(i, variable, `${slot}/`, state);
    });
  }

  dispose(): void {
    this.release();
    this.disposeCompute();
  }

  private setBlocks(
    blocks: readonly ParameterBlock[],
    perReplica: readonly (readonly NamedTensor[])[],
  ): void {
    this.release();
    this.disposeCompute();
    this.currentBlocks = blocks;
    this.compute = this.shared?.(blocks) ?? gradientFunction(this.model, blocks, this.normalisation);
    this.variables = blocks.map((_, i) => zeroVariable(this.updateShape(i)));
    this.variables.forEach((variable, i) => this.fillBlock(i, variable, '', perReplica));
  }

  private disposeCompute(): void {
    if (this.shared === null) this.compute?.dispose();
  }

  private release(): void {
    for (const variable of this.variables) variable.dispose();
    for (const slots of this.slots) for (const variable of Object.values(slots)) variable.dispose();
    this.slots = [];
  }

  /** Shape in which block i is updated: flat, or its parameter's own where the rule needs to see rows and columns. */
  private updateShape(i: number): number[] {
    const block = this.currentBlocks[i]!;
    const own = block.parameters.length === 1 && this.rule !== null && !this.rule.elementwise;
    return [this.replicas, ...(own ? block.parameters[0]!.shape : [block.size])];
  }

  /** The parts of a block-shaped variable, or of row and column moments, that belong to one replica's parameters. */
  private splitBlock(i: number, variable: Variable, replica: number): NamedTensor[] {
    const all = hostValues(variable);
    const size = all.length / this.replicas;
    const own = all.subarray(replica * size, (replica + 1) * size);
    return this.placements(i, size, variable.shape.slice(1)).map(({ name, shape, offset, size }) => ({
      name,
      shape,
      values: own.slice(offset, offset + size),
    }));
  }

  private fillBlock(
    i: number,
    variable: Variable,
    prefix: string,
    perReplica: readonly (readonly NamedTensor[])[],
  ): void {
    const size = variable.shape.reduce((product, length) => product * length, 1) / this.replicas;
    const values = new Float32Array(size * this.replicas);
    perReplica.forEach((arrays, replica) => {
      const byName = new Map(arrays.map((array) => [array.name, array.values]));
      for (const { name, offset, size: expected } of this.placements(i, size, [])) {
        const source = byName.get(prefix + name);
        if (source?.length !== expected) {
          throw new Error(
            `tensor ${prefix}${name} has ${source?.length ?? 'no'} values instead of ${expected}`,
          );
        }
        values.set(source, replica * size + offset);
      }
    });
    const tensor = tf.tensor(values, [...variable.shape]);
    variable.assign(tensor);
    tensor.dispose();
  }

  /** Placements of block i's parameters in a variable of `size` numbers per replica. */
  private placements(i: number, size: number, shape: readonly number[]): readonly Placement[] {
    const block = this.currentBlocks[i]!;
    if (size === block.size) return block.parameters;
    return [{ name: block.parameters[0]!.name, shape, size, offset: 0 }];
  }
}

function zeroVariable(shape: readonly number[]): Variable {
  const zeros = tf.zeros([...shape]);
  const variable = createVariable(zeros);
  zeros.dispose();
  return variable;
}

function hostValues(variable: Variable): Float32Array {
  const tensor = variable.read();
  const values = Float32Array.from(tensor.dataSync());
  tensor.dispose();
  return values;
}
