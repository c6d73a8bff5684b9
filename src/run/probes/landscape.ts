import { createStream } from '../../../data/random/streams.js';
import { createLandscapeMeter } from '../../probe/landscape.js';
import { tables } from '../../store/schemas.js';
import { ToolCache, type ProbeSpec } from './probe.js';

/** Gradient of the gradient variance, curvature and signal-to-noise ratio of the first stage's training set. */
export const landscapeProbe: ProbeSpec = {
  tables: [tables.landscape],
  create: () => {
    const meters = new ToolCache(createLandscapeMeter);
    return {
      begin: (run, open) => {
        const { plan, seed } = run;
        const writer = open(tables.landscape);
        const set = plan.stages[0]!.sets[0]!;
        return ({ stage, step, end, blocks, values }) => {
          if (!end) return;
          const found = meters.of(run, blocks)(values, set, createStream(seed, 'landscape'));
          const row = writer.reserve(1);
          writer.column('stage')[row] = stage;
          writer.column('step')[row] = step;
          writer.column('examples')[row] = found.examples;
          writer.column('loss')[row] = found.loss;
          writer.column('loss_gradient_norm')[row] = found.lossGradientNorm;
          writer.column('gamma')[row] = found.gamma;
          writer.column('variance_gradient_norm')[row] = found.varianceGradientNorm;
          writer.column('variance_loss_cosine')[row] = found.varianceLossCosine ?? NaN;
          writer.column('gsnr')[row] = found.gsnr ?? NaN;
          writer.column('lambda_max')[row] = found.lambdaMax;
          writer.column('lambda_change')[row] = found.lambdaChange;
          writer.column('lambda_examples')[row] = found.lambdaExamples;
          writer.flush();
        };
      },
      dispose: () => meters.dispose(),
    };
  },
};
