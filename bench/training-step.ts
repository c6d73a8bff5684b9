import * as tf from '@tensorflow/tfjs-core';
import type { TextShape } from '../data/experiment.js';
import { createStream } from '../data/random/streams.js';
import { trainingBytes } from '../src/run/planned-bytes.js';
import { arrangeGroups, divide, type MinibatchGroups } from '../src/train/groups/division.js';
import { Learner } from '../src/train/learner.js';
import { parameterCount } from '../src/train/models/model.js';
import { transformerSchema } from '../src/train/models/transformer/config.js';
import { variableNoise } from '../src/train/models/transformer/causal.js';
import { buildTransformer } from '../src/train/models/transformer/transformer.js';
import { clipFactor } from '../src/train/optimizers/schedule.js';
import { median, printTable, type TorchPeer } from './support.js';

/** A model and batch that both sides train. */
export interface Case {
  readonly name: string;
  readonly layers: number;
  readonly width: number;
  readonly heads: number;
  readonly vocabulary: number;
  readonly outputs: number;
  readonly variables: number;
  readonly examples: number;
  readonly rows: number;
  readonly target: 'text' | 'answer';
  readonly clip: boolean;
  readonly replicas: number;
  /** Ratio to reach: PyTorch's time over ours, per replica. */
  readonly goal: number | null;
  /** GPT-NeoX (rotary, parallel, tied, a table of variables as wide as the model) or GPT-2, the default. */
  readonly shape?: 'gpt2' | 'neox';
  /** Tokens of an answer; 1 by default. */
  readonly answer?: number;
  /** Groups of equal size whose Gram matrix every step computes; none by default. */
  readonly groups?: number;
}

const text = { variables: 0, target: 'text', clip: false, replicas: 1 } as const;
const small = {
  layers: 2,
  width: 32,
  heads: 4,
  vocabulary: 21,
  outputs: 21,
  variables: 1000,
  examples: 128,
  rows: 5,
  target: 'answer',
  clip: true,
} as const;

export const largeCases: readonly Case[] = [
  {
    name: 'width 512, 6 layers, 256 x 12',
    layers: 6,
    width: 512,
    heads: 8,
    vocabulary: 8000,
    outputs: 8000,
    examples: 256,
    rows: 12,
    goal: 1.8,
    ...text,
  },
  {
    name: 'width 256, 6 layers, 256 x 12',
    layers: 6,
    width: 256,
    heads: 4,
    vocabulary: 1100,
    outputs: 1100,
    examples: 256,
    rows: 12,
    goal: 1.4,
    ...text,
  },
  {
    name: 'width 128, 4 layers, 256 x 6',
    layers: 4,
    width: 128,
    heads: 4,
    vocabulary: 4000,
    outputs: 4000,
    examples: 256,
    rows: 6,
    goal: 1.2,
    ...text,
  },
];

export const smallCases: readonly Case[] = [
  { name: 'set inclusion small, 1 replica', replicas: 1, goal: null, ...small },
  { name: 'set inclusion small, 16 replicas', replicas: 16, goal: null, ...small },
];

const people = {
  shape: 'neox',
  layers: 3,
  width: 64,
  heads: 4,
  vocabulary: 814,
  outputs: 814,
  variables: 600,
  examples: 128,
  rows: 13,
  answer: 3,
  target: 'answer',
  clip: true,
} as const;

/** The recipe of `configs/people.yaml`. */
export const textCases: readonly Case[] = [
  { name: 'people small, 1 replica', replicas: 1, goal: 1, ...people },
  { name: 'people small, 4 replicas', replicas: 4, goal: 1.5, ...people },
];

/** Steps in a round, and rounds in which the two sides take turns. */
const rounds = 5;

/** Trains each case in turns with the peer and prints the median step of each and their ratio. */
export async function benchTrainingStep(
  cases: readonly Case[],
  peer: TorchPeer | null,
  threads: string,
): Promise<void> {
  const rows: string[][] = [];
  for (const own of cases) rows.push(await measure(own, peer));
  printTable(
    `Training step (gradient, clipping where noted, AdamW), ${threads}; median ms per replica, both sides in turns`,
    ['', 'parameters', 'gradscope', 'PyTorch', 'times as fast', 'goal'],
    rows,
  );
}

async function measure(own: Case, peer: TorchPeer | null): Promise<string[]> {
  const take = ourSteps(own);
  const steps = own.width >= 256 ? 4 : 30;
  await peer?.ask({ build: { ...own, hidden: 4 * own.width } });
  take(3);
  await peer?.ask({ steps: 3 });
  const [ours, theirs]: [number[], number[]] = [[], []];
  for (let round = 0; round < rounds; round++) {
    ours.push(...take(steps));
    theirs.push(...((await peer?.ask({ steps }))?.ms ?? []));
  }
  const parameters = take.parameters.toLocaleString('en');
  take.dispose();
  const mine = median(ours) / own.replicas;
  if (theirs.length === 0) return [own.name, parameters, mine.toFixed(2), '-', '-', '-'];
  const other = median(theirs);
  return [
    own.name,
    parameters,
    mine.toFixed(2),
    other.toFixed(2),
    (other / mine).toFixed(2),
    own.goal?.toFixed(1) ?? '-',
  ];
}

/** A function that takes n steps and returns the milliseconds of each. */
export function ourSteps(own: Case) {
  const noiseWidth = own.shape === 'neox' ? own.width : 6;
  const shape: TextShape = {
    modality: 'text',
    vocabularySize: own.vocabulary,
    variables: own.variables,
    outputSize: own.outputs,
    blockSize: own.rows,
    queries: own.target === 'text' ? own.rows - 1 : (own.answer ?? 1),
    padToken: 0,
  };
  const config = transformerSchema.parse({
    kind: 'transformer',
    layers: own.layers,
    width: own.width,
    heads: own.heads,
    feedForward: 4 * own.width,
    ...(own.shape === 'neox'
      ? { positions: 'rotary', residual: 'parallel', tiedEmbedding: true }
      : { positions: 'learned', residual: 'sequential' }),
    variableEmbedding:
      own.variables === 0
        ? null
        : { width: noiseWidth, normalise: 'rms', noise: 0.5, projection: own.shape !== 'neox' },
    initialisation: { kind: 'scaled' },
  });
  const model = buildTransformer(config, { shape, hidePadding: false });
  const learner = new Learner(model, own.replicas, 'example');
  const streams = Array.from({ length: own.replicas }, (_, seed) => createStream(seed, 'initialisation'));
  learner.initialise(streams);
  const optimizer = {
    kind: 'adamw',
    learningRate: 1e-3,
    beta1: 0.9,
    beta2: 0.999,
    epsilon: 1e-8,
    weightDecay: 0,
  } as const;
  learner.beginStage({ optimizer, learningRate: () => 1e-3 });
  const chunks = parameterCount(model) < 1e6 ? 2 : 1;
  const random = createStream(0, 'bench');
  const integers = (size: number[], below: number): tf.Tensor =>
    tf.tensor(
      Int32Array.from({ length: size.reduce((a, b) => a * b) }, () => random.integer(below)),
      size,
      'int32',
    );
  const lead = [own.replicas, own.examples];
  const groups = own.groups === undefined ? null : equalGroups(own, own.groups, chunks);
  let step = 0;

  const take = (count: number): number[] =>
    Array.from({ length: count }, () => {
      const started = performance.now();
      step++;
      const inputs: Record<string, tf.Tensor> = {
        tokens: tokensOf(own, lead, random.integer(own.vocabulary)),
        labels: integers([...lead, shape.queries], own.outputs),
        weights: tf.fill([...lead, shape.queries], 1 / shape.queries),
      };
      if (own.target === 'answer') {
        const first = own.rows - shape.queries;
        inputs['positions'] = tf.add(
          tf.zeros([...lead, shape.queries], 'int32'),
          tf.range(first, own.rows, 1, 'int32'),
        );
      }
      if (own.variables > 0) {
        const noise = new Float32Array(own.replicas * own.examples * noiseWidth);
        random.fillNormal(noise, 0.5);
        inputs[variableNoise] = tf.tensor(noise, [...lead, noiseWidth]);
      }
      const gradient = learner.gradient(inputs, chunks, groups);
      const norms = Array.from(gradient.norm2.dataSync(), Math.sqrt);
      gradient.losses.dataSync();
      gradient.grams?.();
      learner.update(
        gradient.blocks,
        norms.map((norm) => clipFactor(norm, own.clip ? 1 : null)),
        norms.map(() => 1),
        step,
      );
      gradient.dispose();
      tf.dispose(inputs);
      return performance.now() - started;
    });
  const { parameterBytes, activationBytes } = trainingBytes(model, own.examples);
  return Object.assign(take, {
    parameters: parameterCount(model),
    /** What `gradscope run` expects this to take, bytes. */
    plannedBytes: own.replicas * (parameterBytes + activationBytes),
    dispose: () => learner.dispose(),
  });
}

/** A minibatch of groups of equal size, sorted as training sorts it. */
function equalGroups({ replicas, examples }: Case, groups: number, chunks: 1 | 2): MinibatchGroups {
  const sizes = new Array<number>(groups).fill(1);
  const { rank } = arrangeGroups(sizes, chunks);
  const sorted = Array.from(rank.keys()).toSorted((a, b) => rank[a]! - rank[b]!);
  const groupOf = Int32Array.from(
    { length: replicas * examples },
    (_, i) => sorted[Math.floor(((i % examples) * groups) / examples)]!,
  );
  return divide(groupOf, replicas, sizes, chunks);
}

function tokensOf({ rows, variables, vocabulary }: Case, lead: number[], offset: number): tf.Tensor {
  const count = lead.reduce((a, b) => a * b) * rows;
  const tokens = Int32Array.from({ length: count }, (_, i) =>
    variables > 0 && i % rows === 0 ? vocabulary + ((i * 7919) % variables) : (i * 31 + offset) % vocabulary,
  );
  return tf.tensor(tokens, [...lead, rows], 'int32');
}
