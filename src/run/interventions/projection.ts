import * as tf from '@tensorflow/tfjs-core';
import { z } from 'zod';
import { parseGroupName } from '../../../data/design.js';
import type { ExampleSet, ExperimentData } from '../../../data/experiment.js';
import { allocateFields } from '../../../data/fields.js';
import { createStream, type RandomStream } from '../../../data/random/streams.js';
import { batchTensors } from '../../train/batch.js';
import { exampleProjection, type ProjectedExamples } from '../../train/example-projection.js';
import { parameterCount, trainingFieldNames, type Model } from '../../train/models/model.js';
import { learningRates } from '../learning-rates.js';
import type { Minibatch } from '../minibatch.js';
import { trainingBytes } from '../planned-bytes.js';
import type { ActiveIntervention, Intervention, InterventionContext } from './intervention.js';
import { accumulationProblem } from './whole-minibatch.js';

export const projectionSchema = z
  .strictObject({
    onto: z
      .enum(['own', 'others'])
      .describe(
        'own: the held-out questions about the variable of a definition; others, the placebo: those about another variable of ' +
          'its subset, the same one throughout the stage',
      ),
  })
  .nullable()
  .default(null)
  .describe(
    'takes out of the gradient of every definition what lies in the span of the gradients of questions',
  );

/** Numbers of the gradients that are formed at once, of all replicas: 128 MB of float32. */
const mostNumbers = 1 << 25;

/** Numbers of the gradients of a definition and its questions, as they are formed and once more as they are joined. */
function numbersOfDefinition(model: Model, questions: number): number {
  return parameterCount(model) * 2 * (questions + 1);
}

/** Definitions of each replica that are taken at once. */
function definitionsTogether(model: Model, questions: number, replicas: number): number {
  return Math.max(1, Math.floor(mostNumbers / (replicas * numbersOfDefinition(model, questions))));
}

/** Rows of a set that the gradients of a definition are projected off. */
interface Questions {
  readonly set: ExampleSet;
  readonly rows: readonly number[];
}

/** Variable -> its held-out questions, as training would see them. */
function heldOutQuestions(
  { tests }: ExperimentData,
  onto: 'own' | 'others',
  random: RandomStream,
): Map<number, Questions> {
  const questions = new Map<number, Questions>();
  // Of a subset the test set that bears its name has the held-out questions; the others are training rows.
  for (const { asTraining: set } of tests.filter(({ name, subset }) => name === subset)) {
    const rows = new Map<number, number[]>();
    set.variable.forEach((variable, row) => rows.set(variable, [...(rows.get(variable) ?? []), row]));
    const variables = [...rows.keys()].toSorted((a, b) => a - b);
    const order = Array.from(random.permutation(variables.length), (i) => variables[i]!);
    order.forEach((variable, i) => {
      // In a circle of all variables nobody is its own neighbour, unless it is alone.
      const about = onto === 'own' ? variable : order[(i + 1) % order.length]!;
      if (onto === 'own' || about !== variable) questions.set(variable, { set, rows: rows.get(about)! });
    });
  }
  return questions;
}

/**
 * Takes the gradients of a definition's questions out of what the definition teaches: its gradient g_d becomes
 * `g_d - P g_d`, with P the projection onto the span of the gradients of the questions at the parameters of the update, in the
 * inner product in which every parameter counts by its learning rate: that of first-order effects of plain SGD.
 */
export const projection: Intervention = {
  key: 'projection',
  changesGradient: true,
  problem: (stage) => accumulationProblem(stage, 'projection', 'single definitions'),
  planProblem: () => null,
  bytes: ({ projection: own }, { batchSize, heldOut }, model) => {
    if (own === null) return 0;
    const definitions = Math.min(batchSize, definitionsTogether(model, heldOut, 1));
    return (
      4 * numbersOfDefinition(model, heldOut) * definitions +
      trainingBytes(model, definitions * heldOut).activationBytes
    );
  },
  dataProblem: ({ config, sets }, { data }) => {
    if (config.projection === null) return null;
    const { onto } = config.projection;
    const has = sets.map((set, replica) => {
      const questions = heldOutQuestions(data[replica]!, onto, createStream(0, 'projection'));
      const isDefinition = definitionGroups(data[replica]!);
      return set.group.some(
        (group, row) => isDefinition[group] === true && questions.has(set.variable[row]!),
      );
    });
    return has.every(Boolean)
      ? null
      : 'onto: the stage trains no definition of a variable that has such held-out questions; leave projection out';
  },
  activate: (context) => (context.stage.config.projection === null ? null : activeProjection(context)),
};

/** Of each group, whether it is one of definitions. */
function definitionGroups({ groups }: ExperimentData): boolean[] {
  return groups.map((name) => parseGroupName(name).kind === 'definition');
}

function activeProjection({ plan, stage, learner }: InterventionContext): ActiveIntervention {
  const { data, seeds, model } = plan;
  const { name, projection: own } = stage.config;
  const questions = data.map((set, replica) =>
    heldOutQuestions(set, own!.onto, createStream(seeds[replica]!, `projection/${name}`)),
  );
  const isDefinition = definitionGroups(data[0]!);
  const most = Math.max(...questions.flatMap((of) => [...of.values()].map(({ rows }) => rows.length)));
  const replicas = seeds.length;
  const together = definitionsTogether(model, most, replicas);
  const project = exampleProjection(model, learner.blocks, stage.configs.map(learningRates));
  const { fields } = stage.sets[0]!;

  /** Definitions with questions, of each replica: their places in the minibatch. */
  const placesOf = ({ rows, groupOf }: Minibatch): number[][] =>
    rows.map((of, replica) =>
      Array.from(of.keys()).filter(
        (i) =>
          isDefinition[groupOf[replica * of.length + i]!]! &&
          questions[replica]!.has(stage.sets[replica]!.variable[of[i]!]!),
      ),
    );

  /** `examples` definitions of each replica from number `from` on, with their questions. */
  const taskOf = (
    { rows }: Minibatch,
    places: readonly (readonly number[])[],
    from: number,
    examples: number,
    stageStep: number,
  ): ProjectedExamples => {
    const buffers = allocateFields(fields, replicas * examples * most);
    const task = {
      examples,
      others: most,
      places: new Int32Array(replicas * examples),
      present: new Uint8Array(replicas * examples),
      taken: new Float32Array(replicas * examples * most),
    };
    for (let replica = 0; replica < replicas; replica++) {
      for (let i = 0; i < examples; i++) {
        const at = replica * examples + i;
        const place = places[replica]![from + i];
        const variable = place === undefined ? null : stage.sets[replica]!.variable[rows[replica]![place]!]!;
        // Where there is nothing any questions do: a row of zeros need not be a valid example.
        const { set, rows: asked } =
          variable === null ? [...questions[replica]!.values()][0]! : questions[replica]!.get(variable)!;
        let stream: RandomStream | null = null;
        const sight = (): RandomStream =>
          (stream ??= createStream(seeds[replica]!, `projection/${name}/${stageStep}/${variable}`));
        task.places[at] = place ?? 0;
        task.present[at] = variable === null ? 0 : 1;
        for (let k = 0; k < most; k++) {
          set.fill([asked[k % asked.length]!], at * most + k, buffers, sight);
          task.taken[at * most + k] = variable !== null && k < asked.length ? 1 : 0;
        }
      }
    }
    const inputs = batchTensors(
      { replicas, examples: examples * most, fields, buffers },
      trainingFieldNames(model),
    );
    return { ...task, inputs };
  };

  return {
    change: ({ place: { stageStep }, minibatch, gradient, blocks }) => {
      const places = placesOf(minibatch);
      const count = Math.max(...places.map((of) => of.length));
      if (count === 0) {
        const none = seeds.map(() => null);
        return { blocks, values: { projection_share: none, projection_rank: none } };
      }
      const values = learner.read();
      // Minibatches differ in how many definitions they have; rounded up, few graphs do for all.
      const grain = Math.max(1, Math.ceil(minibatch.rows[0]!.length / 32));
      const examples = Math.min(together, Math.ceil(count / grain) * grain);
      const sums = seeds.map(() => ({ squares: 0, removed: 0, ranks: 0 }));
      let left = [...blocks];
      for (let from = 0; from < count; from += examples) {
        const task = taskOf(minibatch, places, from, examples, stageStep);
        const part = project(values, gradient, task);
        const next = left.map((block, i) => tf.sub<tf.Tensor2D>(block, part.blocks[i]!));
        sums.forEach((sum, replica) => {
          sum.squares += part.squares[replica]!;
          sum.removed += part.removed[replica]!;
          sum.ranks += part.ranks[replica]!;
        });
        tf.dispose([task.inputs, ...part.blocks, ...(from === 0 ? [] : left)]);
        left = next;
      }
      tf.dispose(values);
      return {
        blocks: left,
        values: {
          projection_share: sums.map(({ squares, removed }) => (squares > 0 ? removed / squares : null)),
          projection_rank: sums.map(({ ranks }, replica) => {
            const of = places[replica]!.length;
            return of > 0 ? ranks / of : null;
          }),
        },
      };
    },
    dispose: () => project.dispose(),
  };
}
