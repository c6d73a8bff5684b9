import * as tf from '@tensorflow/tfjs-core';
import type { RandomStream } from '../../data/random/streams.js';
import type { NamedTensor } from '../store/safetensors.js';
import { accumulatedGradient } from './accumulate.js';
import { createVariable, type Variable } from './engine/variable.js';
import { gradientFunction, type GradientFunction, type MinibatchGradient } from './gradient-function.js';
import type { MinibatchGroups } from './groups/division.js';
import type { Model, ModelInputs } from './models/model.js';
import { optimizerRule, type OptimizerConfig } from './optimizers/registry.js';
import type { Momentum, OptimizerRule } from './optimizers/rule.js';
import { blockDistances } from './parameters/block-vectors.js';
import { pack, planBlocks, unpack, type ParameterBlock, type Placement } from './parameters/layout.js';

/** How a stage updates parameters. */
export interface Updating {
  readonly optimizer: OptimizerConfig;
  /** Full learning rate of a parameter. */
  readonly learningRate: (parameter: string) => number;
}

/** Consecutive replicas that are updated as one, and kept in the same variables: they are updated alike. */
interface Party {
  /** First replica of the party. */
  readonly first: number;
  readonly replicas: number;
  /** null before the first stage. */
  readonly rule: OptimizerRule | null;
  /** Full learning rate of each block. */
  readonly rates: readonly number[];
  /** Values of each block. */
  readonly variables: readonly Variable[];
  /** State of the optimizer of each block. */
  slots: readonly Readonly<Record<string, Variable>>[];
}

/**
 * R replicas of a model that learn together: their parameters, the state of their optimizer, and the functions that
 * compute a minibatch's gradient and take a step with it. Knows nothing of data, stages, logs or files.
 */
export class Learner {
  private parties: readonly Party[] = [];
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
    const blocks = planBlocks(this.model.parameters, () => '', true);
    this.install(blocks, [{ ...this.everybody(), variables: this.initialVariables(blocks, random) }]);
  }

  /** Starts with given parameters, one list for each replica. Throws when one is missing or has another size. */
  load(parameters: readonly (readonly NamedTensor[])[]): void {
    const blocks = planBlocks(this.model.parameters, () => '', true);
    const party = this.everybody();
    const variables = blocks.map((block) => zeroVariable(updateShape(party, block)));
    this.install(blocks, [{ ...party, variables }]);
    for (const own of this.parties)
      own.variables.forEach((variable, i) => this.fillBlock(i, variable, own, '', parameters));
  }

  /** Gives parameters other values, one list for each replica; those that no list names keep theirs. */
  assign(parameters: readonly (readonly NamedTensor[])[]): void {
    const values = parameters.map((own, replica) => [...this.parameterValues(replica), ...own]);
    for (const party of this.parties)
      party.variables.forEach((variable, i) => this.fillBlock(i, variable, party, '', values));
  }

  /**
   * Starts a stage: fresh optimizers, and blocks as they need them. Parameters keep their values.
   *
   * @param updating of all replicas, or of each: of optimizers of one kind. Consecutive replicas with the same object are
   *   updated as one; the others each for themselves, with the numbers that they have alone.
   */
  beginStage(updating: Updating | readonly Updating[]): void {
    const each = Array.from({ length: this.replicas }, (_, replica) =>
      'optimizer' in updating ? updating : updating[replica]!,
    );
    const starts = each.flatMap((own, replica) => (own === each[replica - 1] ? [] : [replica]));
    const rules = starts.map((first) => optimizerRule(each[first]!.optimizer));
    const blocks = planBlocks(
      this.model.parameters,
      (name) => starts.map((first) => each[first]!.learningRate(name)).join(),
      rules[0]!.elementwise,
    );
    const parties = starts.map((first, i) => ({
      first,
      replicas: (starts[i + 1] ?? this.replicas) - first,
      rule: rules[i]!,
      rates: blocks.map(({ parameters }) => each[first]!.learningRate(parameters[0]!.name)),
    }));
    this.rearrange(blocks, parties);
    for (const party of this.parties) {
      party.slots = blocks.map((_, i) => {
        const slots = Object.entries(party.rule!.slots(updateShape(party, blocks[i]!)));
        return Object.fromEntries(slots.map(([slot, shape]) => [slot, zeroVariable(shape)]));
      });
    }
  }

  /**
   * Gradient of a minibatch; see {@link GradientFunction}.
   *
   * @param microBatch examples that go through the model at once, see {@link accumulatedGradient}; a larger minibatch must
   *   not be asked for groups. null: all
   */
  gradient(
    inputs: ModelInputs,
    chunks: 1 | 2,
    groups: MinibatchGroups | null = null,
    microBatch: number | null = null,
  ): MinibatchGradient {
    const values = this.read();
    const isWhole = microBatch === null || inputs['weights']!.shape[1]! <= microBatch;
    const result = isWhole
      ? this.compute!(values, inputs, chunks, groups)
      : accumulatedGradient(this.compute!, values, inputs, microBatch, this.normalisation);
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
    gradients.forEach((gradient, i) => {
      const shares = tf.tidy(() => {
        const scaled = clips ? tf.mul(gradient, tf.tensor(clipFactors, [this.replicas, 1])) : gradient;
        const split = splitParties(scaled, this.parties);
        return this.parties.map((party, p) =>
          tf.reshape(split[p]!, updateShape(party, this.currentBlocks[i]!)),
        );
      });
      this.parties.forEach(({ first, replicas, rule, rates, variables, slots }, p) => {
        const factors = rateFactors.slice(first, first + replicas);
        const learningRates = factors.map((factor) => factor * rates[i]!);
        rule!.update(variables[i]!, slots[i]!, shares[p]!, { learningRates, step });
      });
      tf.dispose(shares);
    });
  }

  /** How the stage's optimizer remembers gradients; that of the first replica. */
  get momentum(): Momentum {
    return this.parties[0]?.rule?.momentum ?? { decay: 0, biasCorrected: false };
  }

  /**
   * What one more example's gradient is multiplied by on its way into the parameters, learning rate included, as the
   * optimizer's state has it ({@link OptimizerRule.preconditioner}): `[replica, size]` of each block, or null before
   * the first update of the stage. The caller disposes of them.
   *
   * @param step updates of the stage that are done
   */
  preconditioner(step: number): tf.Tensor[] | null {
    return this.diagonals(step, (diagonal, { rates }, i) => tf.mul(diagonal, rates[i]!));
  }

  /**
   * Where the optimizer has no second moments yet ({@link OptimizerRule.unseenAbove}): 1 there and 0 elsewhere, `[replica,
   * size]` of each block, or null before the first update of the stage. The caller disposes of them.
   */
  unseen(step: number): tf.Tensor[] | null {
    return this.diagonals(step, (diagonal, { rule }) =>
      tf.cast(tf.greater(diagonal, rule!.unseenAbove), 'float32'),
    );
  }

  /** `[replica]` Euclidean distances of the parameters from other values of the blocks, `[replica, size]`. */
  distancesFrom(blocks: readonly tf.Tensor[]): number[] {
    const now = this.read();
    const distances = blockDistances(now, blocks);
    tf.dispose(now);
    return distances;
  }

  /** Present values of the blocks, `[replica, size]`; the caller disposes of them before the next update. */
  read(): tf.Tensor[] {
    return this.currentBlocks.map(({ size }, i) =>
      tf.tidy(() => {
        const parts = this.parties.map(({ variables, replicas }) => {
          const value = variables[i]!.read();
          return value.shape.length === 2 ? value : tf.reshape(value, [replicas, size]);
        });
        return parts.length === 1 ? parts[0]! : tf.concat(parts, 0);
      }),
    );
  }

  /** Parameters of one replica, in the model's order. */
  parameterValues(replica: number): NamedTensor[] {
    const party = this.partyOf(replica);
    const parts = new Map(
      party.variables.flatMap((variable, i) =>
        this.splitBlock(i, variable, party, replica).map((part) => [part.name, part]),
      ),
    );
    return this.model.parameters.map(({ name }) => parts.get(name)!);
  }

  /** Optimizer state of one replica, named `slot/parameter`. */
  optimizerValues(replica: number): NamedTensor[] {
    const party = this.partyOf(replica);
    return party.slots.flatMap((slots, i) =>
      Object.entries(slots).flatMap(([slot, variable]) =>
        this.splitBlock(i, variable, party, replica).map((part) => ({
          ...part,
          name: `${slot}/${part.name}`,
        })),
      ),
    );
  }

  /**
   * Puts back what {@link optimizerValues} returned, one list for each replica. Call after {@link beginStage}.
   * Throws when a tensor is missing or has another size.
   */
  loadOptimizer(state: readonly (readonly NamedTensor[])[]): void {
    for (const party of this.parties) {
      party.slots.forEach((slots, i) => {
        for (const [slot, variable] of Object.entries(slots))
          this.fillBlock(i, variable, party, `${slot}/`, state);
      });
    }
  }

  dispose(): void {
    this.release();
    this.disposeCompute();
  }

  /** One party of all replicas, before the first stage. */
  private everybody(): Omit<Party, 'variables'> {
    return { first: 0, replicas: this.replicas, rule: null, rates: [], slots: [] };
  }

  /** Takes other blocks and parties. Parameters keep their values, which stay where they are: large models are not copied. */
  private rearrange(
    blocks: readonly ParameterBlock[],
    parties: readonly Omit<Party, 'variables' | 'slots'>[],
  ): void {
    const values = this.read();
    const tensors = new Map<string, tf.Tensor>();
    tf.tidy(() => {
      for (const [name, tensor] of unpack(this.currentBlocks, values)) tensors.set(name, tf.keep(tensor));
    });
    tf.dispose(values);
    const variables = parties.map((): Variable[] => []);
    for (const block of blocks) {
      tf.tidy(() => {
        const shares = splitParties(pack([block], tensors)[0]!, parties);
        parties.forEach((party, p) =>
          variables[p]!.push(createVariable(tf.reshape(shares[p]!, updateShape(party, block)))),
        );
      });
    }
    tf.dispose([...tensors.values()]);
    this.install(
      blocks,
      parties.map((party, p) => ({ ...party, variables: variables[p]!, slots: [] })),
    );
  }

  /** Takes blocks and parties in place of those that there are. */
  private install(blocks: readonly ParameterBlock[], parties: readonly Party[]): void {
    this.release();
    this.disposeCompute();
    this.currentBlocks = blocks;
    this.compute = this.shared?.(blocks) ?? gradientFunction(this.model, blocks, this.normalisation);
    this.parties = parties;
  }

  /**
   * Variables of initial values, parameter by parameter in the order of the model, as each replica's stream draws them: of a
   * large model no more is held beside the variables than the block that is filled.
   */
  private initialVariables(blocks: readonly ParameterBlock[], random: readonly RandomStream[]): Variable[] {
    const variables = new Map<number, Variable>();
    const buffers = new Map<number, { readonly values: Float32Array; left: number }>();
    const places = new Map(
      blocks.flatMap(({ parameters }, block) =>
        parameters.map((own) => [own.name, { ...own, block }] as const),
      ),
    );
    for (const { name, initialise, isStored } of this.model.parameters) {
      const { block, offset, size } = places.get(name)!;
      const { parameters, size: blockSize } = blocks[block]!;
      const buffer = buffers.get(block) ?? {
        values: new Float32Array(blockSize * random.length),
        left: parameters.length,
      };
      let values: Float32Array | null = null;
      random.forEach((stream, replica) => {
        if (isStored !== true || values === null) values = initialise(stream);
        if (values.length !== size)
          throw new Error(`parameter ${name} has ${values.length} initial values instead of ${size}`);
        buffer.values.set(values, replica * blockSize + offset);
      });
      buffer.left--;
      buffers.set(block, buffer);
      if (buffer.left > 0) continue;
      buffers.delete(block);
      const tensor = tf.tensor(buffer.values, [random.length, blockSize]);
      variables.set(block, createVariable(tensor));
      tensor.dispose();
    }
    return blocks.map((_, block) => variables.get(block)!);
  }

  /**
   * The diagonals of the parties' preconditioners, changed by `use`: `[replica, size]` of each block, or null before the
   * first update of the stage.
   */
  private diagonals(
    step: number,
    use: (diagonal: tf.Tensor, party: Party, block: number) => tf.Tensor,
  ): tf.Tensor[] | null {
    let isComplete = true;
    const results = this.currentBlocks.map(({ size }, i) =>
      tf.tidy(() => {
        const parts = this.parties.map((party) => {
          const own = party.slots[i] === undefined ? null : party.rule!.preconditioner(party.slots[i], step);
          if (own === null) {
            isComplete = false;
            return tf.zeros([party.replicas, size]);
          }
          const shape: [number, number] = [party.replicas, size];
          const used = use(own, party, i);
          return own.rank === 0 ? tf.broadcastTo(used, shape) : tf.reshape(used, shape);
        });
        return parts.length === 1 ? parts[0]! : tf.concat(parts, 0);
      }),
    );
    if (isComplete && results.length > 0) return results;
    tf.dispose(results);
    return null;
  }

  private partyOf(replica: number): Party {
    return this.parties.find(({ first, replicas }) => replica < first + replicas)!;
  }

  private disposeCompute(): void {
    if (this.shared === null) this.compute?.dispose();
  }

  private release(): void {
    for (const { variables, slots } of this.parties) {
      for (const variable of variables) variable.dispose();
      for (const own of slots) for (const variable of Object.values(own)) variable.dispose();
    }
    this.parties = [];
  }

  /** The parts of a block-shaped variable, or of row and column moments, that belong to one replica's parameters. */
  private splitBlock(i: number, variable: Variable, party: Party, replica: number): NamedTensor[] {
    const all = hostValues(variable);
    const size = all.length / party.replicas;
    const place = replica - party.first;
    const own = all.subarray(place * size, (place + 1) * size);
    return this.placements(i, size, variable.shape.slice(1)).map(({ name, shape, offset, size }) => ({
      name,
      shape,
      values: own.slice(offset, offset + size),
    }));
  }

  private fillBlock(
    i: number,
    variable: Variable,
    { first, replicas }: Party,
    prefix: string,
    perReplica: readonly (readonly NamedTensor[])[],
  ): void {
    const size = variable.shape.reduce((product, length) => product * length, 1) / replicas;
    const values = new Float32Array(size * replicas);
    perReplica.slice(first, first + replicas).forEach((arrays, replica) => {
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

/** The parties' shares of a tensor with a leading replica axis. */
function splitParties(tensor: tf.Tensor, parties: readonly Pick<Party, 'replicas'>[]): tf.Tensor[] {
  if (parties.length === 1) return [tensor];
  return tf.split(
    tensor,
    parties.map(({ replicas }) => replicas),
    0,
  );
}

/** Shape in which a party updates a block: flat, or its parameter's own where the rule needs to see rows and columns. */
function updateShape({ replicas, rule }: Pick<Party, 'replicas' | 'rule'>, block: ParameterBlock): number[] {
  const own = block.parameters.length === 1 && rule !== null && !rule.elementwise;
  return [replicas, ...(own ? block.parameters[0]!.shape : [block.size])];
}

function zeroVariable(shape: readonly number[]): Variable {
  // Unlike tf.zeros it makes no array of the engine's size on the host.
  const zeros = tf.fill([...shape], 0);
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
