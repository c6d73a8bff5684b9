import { createStream } from '../../../data/random/streams.js';
import { createEpochDriftMeter } from '../../probe/epoch-drift.js';
import { tables } from '../../store/tables/registry.js';
import { questionPopulation, ToolCache, type ProbeSpec } from './probe.js';

/** Learning rates of the short epochs: third-order terms and rounding pull apart. */
const learningRates = [1e-3, 2.5e-4];

/** The variance penalty's drift of an epoch that shuffles, beyond one with replacement. */
export const epochDriftProbe: ProbeSpec = {
  name: 'epoch-drift',
  tables: [tables.epoch_drift],
  create: () => {
    const meters = new ToolCache(createEpochDriftMeter);
    return {
      begin: (run, open) => {
        const { seed } = run;
        const writer = open(tables.epoch_drift);
        const { population } = questionPopulation(run);
        return ({ stage, step, end, blocks, values }) => {
          if (!end) return;
          const random = createStream(seed, 'epoch-drift');
          for (const drift of meters.of(run, blocks)(values, population, random, learningRates) ?? []) {
            writer.append({
              stage,
              step,
              learning_rate: drift.learningRate,
              minibatches: drift.minibatches,
              batch_size: drift.batchSize,
              measured_norm: drift.measuredNorm,
              predicted_norm: drift.predictedNorm,
              projection: drift.projection,
              cosine: drift.cosine,
            });
          }
          writer.flush();
        };
      },
      dispose: () => meters.dispose(),
    };
  },
};
