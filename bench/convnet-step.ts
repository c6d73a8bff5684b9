import * as tf from '@tensorflow/tfjs-core';
import type { ImageShape } from '../data/experiment.js';
import { createStream } from '../data/random/streams.js';
import { loadConfig } from '../src/config/load.js';
import { runSchema } from '../src/run/config.js';
import { Learner } from '../src/train/learner.js';
import { parameterCount } from '../src/train/models/model.js';
import { buildModel } from '../src/train/models/registry.js';
import { median, printTable, type TorchPeer } from './support.js';

/** Replicas that our side trains together. */
const replicaCounts = [1, 4, 8] as const;
const examples = 128;
const rounds = 7;
const stepsOfRound = 4;

/**
 * A training step of the ConvNet of `configs/mnist-qa.yaml` on a minibatch of 128 images, against the same net in
 * PyTorch, sides in turn so that what else the machine does falls on both.
 *
 * @param peers PyTorch processes with different numbers of threads; the fastest counts
 */
export async function benchConvnetStep(peers: readonly TorchPeer[], version: string): Promise<void> {
  for (const peer of peers) await peer.ask({ build: { kind: 'convnet', examples } });
  const ours = replicaCounts.map((replicas) => ({ replicas, take: ourSteps(replicas), ms: [] as number[] }));
  const theirs = peers.map(() => [] as number[]);
  for (const { take } of ours) take(3);
  for (const peer of peers) await peer.ask({ steps: 3 });
  for (let round = 0; round < rounds; round++) {
    for (const own of ours) own.ms.push(...own.take(stepsOfRound));
    for (const [i, peer] of peers.entries()) {
      theirs[i]!.push(...((await peer.ask({ steps: stepsOfRound })).ms ?? []));
    }
  }
  const best = theirs.length === 0 ? null : Math.min(...theirs.map(median));
  printTable(
    `training step of the ConvNet of mnist-qa small, ${ours[0]!.take.parameters} parameters, ${examples} images (${version})`,
    ['replicas', 'ms per replica', 'PyTorch ms', 'times as fast'],
    ours.map(({ replicas, ms }) => {
      const own = median(ms) / replicas;
      return [
        String(replicas),
        own.toFixed(1),
        best === null ? '-' : best.toFixed(1),
        best === null ? '-' : (best / own).toFixed(2),
      ];
    }),
  );
  for (const { take } of ours) take.dispose();
}

/** A function that takes n steps and returns the milliseconds of each. */
function ourSteps(replicas: number) {
  const { config } = loadConfig('configs/mnist-qa.yaml', runSchema);
  const shape: ImageShape = {
    modality: 'image',
    height: 28,
    width: 24,
    channels: 1,
    outputSize: 11,
    queries: 4,
    answers: [],
    queryColumns: 2,
  };
  const model = buildModel(config.model, { shape, hidePadding: false });
  const learner = new Learner(model, replicas, 'example');
  learner.initialise(Array.from({ length: replicas }, (_, seed) => createStream(seed, 'initialisation')));
  learner.beginStage({ optimizer: config.stages[0]!.optimizer, learningRate: () => 1e-3 });
  const random = createStream(0, 'bench');
  const size = replicas * examples;
  let step = 0;
  const take = (count: number): number[] =>
    Array.from({ length: count }, () => {
      const image = new Float32Array(size * shape.height * shape.width);
      random.fillNormal(image, 1);
      const labels = Int32Array.from({ length: size * shape.queries }, () => random.integer(11));
      const started = performance.now();
      step++;
      const inputs = {
        image: tf.tensor(image, [replicas, examples, shape.height, shape.width, 1]),
        labels: tf.tensor(labels, [replicas, examples, shape.queries], 'int32'),
        weights: tf.fill([replicas, examples, shape.queries], 1 / shape.queries),
      };
      const gradient = learner.gradient(inputs, 2);
      gradient.norm2.dataSync();
      const ones = Array.from({ length: replicas }, () => 1);
      learner.update(gradient.blocks, ones, ones, step);
      gradient.dispose();
      tf.dispose(inputs);
      return performance.now() - started;
    });
  return Object.assign(take, { parameters: parameterCount(model), dispose: () => learner.dispose() });
}
