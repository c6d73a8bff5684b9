import { mnistQaSchema, type MnistQaConfig } from '../../../data/mnist-qa/config.js';
import { buildMnistQa, type MnistQaData } from '../../../data/mnist-qa/experiment.js';
import { answerLoss } from './set-inclusion.js';

/** 40 pairs of the small preset, with changes. */
export function mnistConfig(changes: object = {}): MnistQaConfig {
  return mnistQaSchema.parse({ grid: 2, labels: 10, variables: 40, testImages: 2, ...changes });
}

export function buildMnist(changes: object = {}, seed = 0): MnistQaData {
  return buildMnistQa(mnistConfig(changes), answerLoss, seed);
}
