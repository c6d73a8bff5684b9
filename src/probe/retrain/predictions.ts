import { setImmediate } from 'node:timers/promises';
import * as tf from '@tensorflow/tfjs-core';
import { allocateFields } from '../../../data/fields.js';
import { fixedSights } from '../../../data/fixed-sights.js';
import { readFittingCheckpoint } from '../../run/checkpoint-fit.js';
import { checkpointSteps, type Checkpoint } from '../../run/checkpoint.js';
import { learningRates, updatingOf } from '../../run/learning-rates.js';
import { replayStage } from '../../run/replay.js';
import { batchTensors } from '../../train/batch.js';
import { Learner } from '../../train/learner.js';
import { parameterCount, trainingFieldNames, type ModelInputs } from '../../train/models/model.js';
import { clipFactor } from '../../train/optimizers/schedule.js';
import type { NamedTensor } from '../../store/safetensors.js';
import { blockProducts, productMatrix } from '../../train/parameters/block-vectors.js';
import { DefinitionShares } from '../transfer/shares.js';
import { createAsker, meansByVariable, questionInputsOf } from './questions.js';
import type { RetrainedRun, RetrainTools } from './tools.js';

/** Definitions at once, as replicas. */
const together = 32;

/** Numbers of all gradients that are held at once: 512 MB of float32. */
const mostNumbers = 1 << 27;

/** `[definition * asked]` predicted changes of the mean loss of the questions by a definition. */
export interface Predictions {
  readonly innerProduct: Float64Array;
  /** NaN where a gradient is zero. */
  readonly cosine: Float64Array;
  readonly oneStep: Float64Array;
  readonly checkpoints: Float64Array;
  /** Null for swapped tags and where the model is too large. */
  readonly pathIntegral: Float64Array | null;
  /** `[definition]` */
  readonly tokens: Int32Array;
}

/** Kinds of definitions that predictions are made of. */
export type PredictedKind = 'definition' | 'tag_swap';

/**
 * Predictions of all definitions of the stage. What is cheap about them: the gradients of every definition and every
 * question a few times, and the stage once.
 *
 * @param folder of the run, for its checkpoints
 * @param onPart told how many parts are done, of so many; false: stop
 * @returns null when it was stopped
 */
export async function predict(
  run: RetrainedRun,
  kind: PredictedKind,
  folder: string,
  configHash: string | undefined,
  tools: RetrainTools,
  onPart: (done: number, all: number) => boolean,
): Promise<Predictions | null> {
  const { plan, population, start } = run;
  const { firstStep, steps } = plan.stages[population.stage]!;
  const inputs = definitionInputs(run, kind);
  const questions = questionInputsOf(plan, population);
  const at = (parameters: readonly NamedTensor[]): Learner => {
    const learner = new Learner(plan.model, 1, plan.config.loss.normalisation, (blocks) =>
      tools.stepsOf(run).of(run, blocks),
    );
    learner.load([parameters]);
    learner.beginStage(updatingOf(plan.stages[population.stage]!));
    return learner;
  };
  const last = firstStep + steps;
  const kept = checkpointSteps(folder).filter((step) => step > firstStep && step <= last);
  // The stage itself takes the longest: each of its updates counts as a part.
  const all = kept.length + 2 + (kind === 'definition' ? steps : 0);
  let done = 0;
  const goesOn = async (): Promise<boolean> => {
    // Signals get their turn.
    await setImmediate();
    return onPart(++done, all);
  };
  try {
    const first = at(start.parameters);
    const { products, cosines } = productsAt(first, run, inputs, questions, tools);
    const checkpoints = Float64Array.from(products);
    first.dispose();
    if (!(await goesOn())) return null;
    for (const step of kept) {
      const checkpoint: Checkpoint = readFittingCheckpoint(plan, 0, folder, step, configHash);
      const learner = at(checkpoint.parameters);
      productsAt(learner, run, inputs, questions, tools).products.forEach((own, i) => {
        checkpoints[i]! += own;
      });
      learner.dispose();
      if (!(await goesOn())) return null;
    }
    const oneStep = stepsFrom(run, inputs, tools);
    if (!(await goesOn())) return null;
    const path = kind === 'definition' ? await pathOf(run, questions, tools, goesOn) : 'absent';
    if (path === 'stopped') return null;
    return {
      innerProduct: products,
      cosine: cosines,
      oneStep,
      checkpoints,
      pathIntegral: path === 'absent' ? null : path,
      tokens: tokensOf(run, kind),
    };
  } finally {
    tf.dispose([inputs.map((own) => own.inputs), questions]);
  }
}

/** Some definitions as inputs of replicas, `[definition, 1, ...]`. */
interface DefinitionBatch {
  readonly first: number;
  /** Definitions of the batch; the replicas beyond repeat one, so that all batches have one shape. */
  readonly count: number;
  readonly inputs: ModelInputs;
}

function definitionInputs(run: RetrainedRun, kind: PredictedKind): DefinitionBatch[] {
  const { plan, population } = run;
  const names = trainingFieldNames(plan.model);
  const { definitions } = population;
  const batches = Math.ceil(definitions.length / together);
  const size = Math.ceil(definitions.length / batches);
  return Array.from({ length: batches }, (_, batch) => {
    const first = batch * size;
    const count = Math.min(size, definitions.length - first);
    const { fields, buffers } = filled(run, kind, (i) => first + (i < count ? i : 0), size);
    return { first, count, inputs: batchTensors({ replicas: size, examples: 1, fields, buffers }, names) };
  });
}

/** Definitions as examples of a training batch, `definition(i)` at place i. */
function filled(
  { plan, population }: RetrainedRun,
  kind: PredictedKind,
  definition: (i: number) => number,
  count: number,
) {
  const data = plan.data[0]!;
  const set = fixedSights(plan.stages[population.stage]!.sets[0]!, plan.seeds[0]!, 'retrain/definitions');
  const buffers = allocateFields(set.fields, count);
  for (let i = 0; i < count; i++) {
    const { variable, rows } = population.definitions[definition(i)]!;
    if (kind === 'definition')
      set.fill(rows.subarray(0, 1), i, buffers, () => {
        throw new Error('definitions look the same at every sight');
      });
    else data.counterfactuals!.fill(kind, variable, i, buffers);
  }
  return { fields: set.fields, buffers };
}

/** Negative inner products and cosines of the gradients of definitions and questions at a learner's parameters. */
function productsAt(
  learner: Learner,
  run: RetrainedRun,
  batches: readonly DefinitionBatch[],
  questions: ModelInputs,
  tools: RetrainTools,
): { products: Float64Array; cosines: Float64Array } {
  const { definitions, asked } = run.population;
  const gradient = tools.gradients.of(run, learner.blocks);
  const values = learner.read();
  const answered = gradient(values, questions);
  const questionNorms = blockProducts(answered.blocks, answered.blocks).map(Math.sqrt);
  const products = new Float64Array(definitions.length * asked.length);
  const cosines = new Float64Array(products.length);
  for (const { first, count, inputs } of batches) {
    const defined = gradient(values, inputs);
    const norms = blockProducts(defined.blocks, defined.blocks).map(Math.sqrt);
    const own = productMatrix(defined.blocks, answered.blocks);
    for (let i = 0; i < count; i++) {
      for (let j = 0; j < asked.length; j++) {
        const at = (first + i) * asked.length + j;
        products[at] = -own[i * asked.length + j]!;
        cosines[at] = products[at] / (norms[i]! * questionNorms[j]!);
      }
    }
    defined.dispose();
  }
  answered.dispose();
  tf.dispose(values);
  return { products, cosines };
}

/** Changes of the losses by one update of the optimizer on each definition alone, from its fresh state. */
function stepsFrom(
  run: RetrainedRun,
  batches: readonly DefinitionBatch[],
  tools: RetrainTools,
): Float64Array {
  const { plan, population, start } = run;
  const { config } = plan.stages[population.stage]!;
  const { definitions, asked, questions } = population;
  const changes = new Float64Array(definitions.length * asked.length);
  for (const { first, count, inputs } of batches) {
    const replicas = inputs['labels']!.shape[0];
    const learner = new Learner(plan.model, replicas, plan.config.loss.normalisation, (blocks) =>
      tools.stepsOf(run).of(run, blocks),
    );
    learner.load(new Array<readonly NamedTensor[]>(replicas).fill(start.parameters));
    learner.beginStage({ optimizer: config.optimizer, learningRate: learningRates(config) });
    const ask = createAsker(plan, population, tools.evaluators.of(run, learner.blocks));
    const before = learner.read();
    const firstOf = before.map((block) => tf.slice(block, [0, 0], [1, block.shape[1]!]));
    const losses = ask(before, replicas).map(({ loss }) => meansByVariable(loss, questions));
    const gradient = tools.gradients.of(run, learner.blocks)(firstOf, inputs);
    const norms = blockProducts(gradient.blocks, gradient.blocks).map(Math.sqrt);
    tf.dispose([before, firstOf]);
    const ones = new Array<number>(replicas).fill(1);
    learner.update(
      gradient.blocks,
      Array.from(norms, (norm) => clipFactor(norm, config.clipNorm)),
      ones,
      1,
    );
    gradient.dispose();
    const after = learner.read();
    ask(after, replicas).forEach(({ loss }, i) => {
      if (i >= count) return;
      meansByVariable(loss, questions).forEach((mean, j) => {
        changes[(first + i) * asked.length + j] = mean - losses[i]![j]!;
      });
    });
    tf.dispose(after);
    learner.dispose();
  }
  return changes;
}

/** The share of every definition in every update of the run's own stage, summed; absent where the model is too large. */
async function pathOf(
  run: RetrainedRun,
  questions: ModelInputs,
  tools: RetrainTools,
  goesOn: () => Promise<boolean>,
): Promise<Float64Array | 'absent' | 'stopped'> {
  const { plan, population, start } = run;
  const { definitions, asked, stage } = population;
  if ((definitions.length + asked.length) * parameterCount(plan.model) > mostNumbers) return 'absent';
  const shares = new DefinitionShares(
    plan,
    stage,
    definitions.map(({ variable }) => variable),
  );
  const total = new Float64Array(definitions.length * asked.length);
  try {
    for (const update of replayStage(plan, stage, start, (blocks) => tools.stepsOf(run).of(run, blocks))) {
      const gradient = tools.gradients.of(run, update.learner.blocks);
      const answered = gradient(update.before, questions);
      shares.add(update, gradient);
      // `[asked, definition]`
      shares.changes(answered.blocks, update).forEach((change, at) => {
        const [j, i] = [Math.floor(at / definitions.length), at % definitions.length];
        total[i * asked.length + j]! += change;
      });
      answered.dispose();
      if (!(await goesOn())) return 'stopped';
    }
    return total;
  } finally {
    shares.dispose();
  }
}

/** `[definition]` tokens that are not padding; targets of the loss where a definition is no text. */
function tokensOf(run: RetrainedRun, kind: PredictedKind): Int32Array {
  const { definitions } = run.population;
  const { shape } = run.plan.data[0]!;
  const { fields, buffers } = filled(run, kind, (i) => i, definitions.length);
  const isText = shape.modality === 'text';
  const field = isText ? 'tokens' : 'weights';
  const values = buffers[field]!;
  const width = fields[field]!.shape.reduce((product, length) => product * length, 1);
  const nothing = shape.modality === 'text' ? shape.padToken : 0;
  return Int32Array.from({ length: definitions.length }, (_, i) => {
    let count = 0;
    for (let k = i * width; k < (i + 1) * width; k++) if (values[k] !== nothing) count++;
    return count;
  });
}
