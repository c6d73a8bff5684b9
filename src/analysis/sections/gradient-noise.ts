import { smithRegulariser } from '../measures/smith-regulariser.js';
import { minibatchVariance } from '../minibatch-variance.js';
import { endOfQuestions, questionStage } from '../run-data.js';
import type { SectionSpec } from '../section.js';

/** Share of the stage with questions, at its end, over which the variance is averaged. */
const lateShare = 0.2;

const perParameter = 'nats^2/parameter^2';

/** Gradient variance and Smith's penalty at the batch size of the run, from the minibatches that training saw. */
export const gradientNoise: SectionSpec = {
  name: 'gradient-noise',
  title:
    'Gradient noise and its penalty at the batch size of these runs, last fifth of the stage with questions',
  quantities: [
    { key: 'gamma', name: 'gradient variance Gamma', unit: perParameter, null: null },
    { key: 'meanNorm2', name: 'squared norm of the full gradient', unit: perParameter, null: null },
    { key: 'noiseScale', name: 'simple noise scale', unit: 'examples', null: null },
    { key: 'variance', name: "Smith's penalty, variance part", unit: 'nats', null: null },
    { key: 'norm', name: "Smith's penalty, norm part", unit: 'nats', null: null },
  ],
  measure: async ({ info }, gradients) => {
    if (gradients === null) return null;
    const { steps, examples: population, batchSize, learningRate } = questionStage(info);
    const last = endOfQuestions(info);
    const late = { from: Math.floor(last - lateShare * steps), to: last };
    const variance = minibatchVariance(gradients, population, late);
    if (typeof variance === 'string') {
      return { gamma: variance, meanNorm2: variance, noiseScale: variance, variance, norm: variance };
    }
    const { gamma, meanNorm2, noiseScale } = variance;
    return {
      gamma,
      meanNorm2,
      noiseScale: noiseScale ?? 'the squared norm of the full gradient is not above its noise',
      ...smithRegulariser(variance, { learningRate, batchSize, population }),
    };
  },
};
