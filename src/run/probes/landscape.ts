import { fixedSights } from '../../../data/fixed-sights.js';
import { createStream } from '../../../data/random/streams.js';
import { createLandscapeMeter } from '../../probe/landscape.js';
import { tables } from '../../store/schemas.js';
import { ToolCache, type ProbeSpec } from './probe.js';

/** Gradient of the gradient variance, curvature and signal-to-noise ratio of the first stage's training set. */
export const landscapeProbe: ProbeSpec = {
  name: 'landscape',
  tables: [tables.landscape],
  create: () => {
    const meters = new ToolCache(createLandscapeMeter);
    return {
      begin: (run, open) => {
        const { plan, seed } = run;
        const writer = open(tables.landscape);
        const set = fixedSights(plan.stages[0]!.sets[0]!, seed, 'probe/examples');
        return ({ stage, step, end, blocks, values }) => {
          if (!end) return;
          const found = meters.of(run, blocks)(values, set, createStream(seed, 'landscape'));
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
          });
          writer.flush();
        };
      },
      dispose: () => meters.dispose(),
    };
  },
};
