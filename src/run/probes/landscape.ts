import { createStream } from '../../../data/random/streams.js';
import { createLandscapeMeter } from '../../probe/landscape.js';
import { ratesOfCoordinates } from '../../probe/population.js';
import { tables } from '../../store/tables/registry.js';
import { questionPopulation, ToolCache, type ProbeSpec } from './probe.js';

/** Gradient of the gradient variance, curvature and signal-to-noise ratio of the training set of the stage with questions. */
export const landscapeProbe: ProbeSpec = {
  name: 'landscape',
  tables: [tables.landscape],
  create: () => {
    const meters = new ToolCache(createLandscapeMeter);
    return {
      begin: (run, open) => {
        const { seed } = run;
        const writer = open(tables.landscape);
        const { population, rateOf } = questionPopulation(run);
        return ({ stage, step, end, blocks, values }) => {
          if (!end) return;
          const rates = ratesOfCoordinates(blocks, rateOf);
          const random = createStream(seed, 'landscape');
          const found = meters.of(run, blocks)(values, population, random, rates);
          writer.append({
            stage,
            step,
            examples: found.examples,
            loss: found.loss,
            loss_gradient_norm: found.lossGradientNorm,
            gamma: found.gamma,
            variance_gradient_norm: found.varianceGradientNorm,
            variance_loss_cosine: found.varianceLossCosine,
            gsnr: found.gsnr,
            lambda_max: found.lambdaMax,
            lambda_change: found.lambdaChange,
            lambda_examples: found.lambdaExamples,
            rated_loss_gradient_norm: found.rated.lossGradientNorm,
            rated_gamma: found.rated.gamma,
            rated_variance_gradient_norm: found.rated.varianceGradientNorm,
            rated_lambda_max: found.rated.lambdaMax,
          });
          writer.flush();
        };
      },
      dispose: () => meters.dispose(),
    };
  },
};
