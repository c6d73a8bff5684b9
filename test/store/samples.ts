import type { Dimensions } from '../../src/store/columns.js';
import type { NewRun } from '../../src/store/run-info.js';

export const dimensions: Dimensions = {
  stages: ['one', 'two'],
  groups: ['qd1consis/definition', 'qd1consis/qa', 'q/qa'],
  tensors: ['embedding', 'h.0.attn', 'h.0.mlp'],
  testSets: ['train', 'test'],
  subsets: ['qd1consis', 'q'],
  sketchSize: 3,
};

export const newRun: NewRun = {
  experiment: 'set-inclusion',
  name: 'seed-3',
  seed: 3,
  versions: { gradscope: '0.1.0', node: '20.20.2' },
  engine: 'tensorflow',
  dataHash: 'sha256:00',
  parameters: [{ tensor: 'embedding', shape: [7, 4], offset: 0, length: 28 }],
  groups: ['q/qa'],
  stages: [
    {
      name: 'stage1',
      trainOn: 'stage1',
      firstStep: 0,
      steps: 4,
      stepsPerEpoch: 2,
      batchSize: 8,
      examples: 16,
      sampler: 'shuffle',
      optimizer: 'sgd',
      learningRate: 0.1,
    },
  ],
  siblings: ['seed-3', 'seed-4'],
  command: ['run', 'configs/set-inclusion.yaml'],
  stepsTotal: 100,
};
