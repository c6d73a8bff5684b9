import * as tf from '@tensorflow/tfjs-core';
import { createStream } from '../../data/random/streams.js';
import { variancePenaltyFactor, whyNoVariancePenalty } from '../../data/samplers.js';
import { configuredSampling } from '../run/configured-sampling.js';
import { questionStageOf } from '../run/plan.js';
import { replayStage } from '../run/replay.js';
import { forceNames } from '../store/tables/forces.js';
import { tables } from '../store/tables/registry.js';
import type { TableWriter } from '../store/table-writer.js';
import { gradientFunction } from '../train/gradient-function.js';
import { parameterCount } from '../train/models/model.js';
import type { ParameterBlock } from '../train/parameters/layout.js';
import {
  blockProducts,
  blocksOf,
  blockwise,
  shiftedBy,
  type BlockVectors,
} from '../train/parameters/block-vectors.js';
import { createDynamicsMeter } from './forces/dynamics.js';
import {
  createPairMeter,
  pairsOf,
  type PairMeans,
  type PairMeter,
  type PairSlopes,
  type PanelPairs,
} from './forces/pairs.js';
import { ratesOfCoordinates } from './population.js';
import { questionPopulation, ToolCache, type Moment, type ProbedRun, type ProbeSpec } from './probe.js';

/**
 * Length of the steps of central differences of inner products: slopes of steps from 3e-4 to 3e-3 agree within 1 % at
 * `small`, and with a float64 model within 0.2 %.
 */
const slopeStep = 1e-3;

/** Numbers of the gradients that are held at once: 1 GB of float32. */
const mostNumbers = 1 << 28;

/** Gradients held at once for each variable of a subset: definitions and questions of two kinds at two places. */
const heldPerVariable = 8;

/**
 * Forces on the mean inner product M of definitions with questions about the same variable (matched) and about others
 * (mismatched) in the mean dynamics of the stage with questions: `grad M . F` for the drift F of one update by the loss and by
 * each part of the implicit penalty, tensor by tensor; and what an update and an epoch of the run itself do to M, taken again
 * from the checkpoint.
 */
export const forcesProbe: ProbeSpec = {
  name: 'forces',
  tables: [tables.forces, tables.force_ledger],
  create: () => {
    const pairMeters = new ToolCache(createPairMeter);
    const dynamics = new ToolCache(createDynamicsMeter);
    const steps = new ToolCache((model, blocks) => gradientFunction(model, blocks, 'example'));
    return {
      begin: (run, open) => {
        const { plan } = run;
        const forces = open(tables.forces);
        const ledger = open(tables.force_ledger);
        if (plan.config.loss.normalisation !== 'example') {
          run.onMessage(
            'forces are measured for the mean loss over examples: not with loss.normalisation token',
          );
          return () => undefined;
        }
        const { population } = questionPopulation(run);
        const stage = questionStageOf(plan);
        const pairs = pairsIn(run);
        return (moment) => {
          const { stageStep } = moment.checkpoint.position;
          if (moment.stage !== stage || stageStep >= plan.stages[stage]!.steps) return;
          const meter = pairMeters.of(run, moment.blocks);
          const stepOf = (blocks: readonly ParameterBlock[]) => steps.of(run, blocks);
          const pace = writeLedger(ledger, moment, run, meter, pairs, stepOf);
          const drift = dynamics.of(run, moment.blocks)(
            moment.values,
            population,
            createStream(run.seed, `forces/${moment.step}`),
            ratesAt(moment, run, pace),
            varianceFactorOf(run),
          );
          for (const force of forceNames) {
            const own = drift[force];
            if (own === undefined) continue;
            const direction = blocksOf(own, moment.values);
            const slopes = slopesAlong(moment.values, direction, meter, pairs);
            tf.dispose(direction);
            pairs.places.forEach((place, row) => {
              if (place.pairs === 0) return;
              const { inner, cosine, innerSlope, cosineSlope } = slopes[row]!;
              forces.append({
                stage,
                step: moment.step,
                force,
                ...place,
                inner,
                cosine,
                inner_rate: innerSlope,
                cosine_rate: cosineSlope,
              });
            });
          }
          forces.flush();
        };
      },
      dispose: () => {
        for (const cache of [pairMeters, dynamics, steps]) cache.dispose();
      },
    };
  },
};

/** Pairs of the panel, of as many variables as memory allows. */
function pairsIn({ panel, plan, onMessage }: ProbedRun): PanelPairs {
  const most = Math.max(2, Math.floor(mostNumbers / heldPerVariable / parameterCount(plan.model)));
  const all = pairsOf(panel, plan.model, Infinity);
  const largest = Math.max(0, ...all.blocks.map(({ sets }) => sets.length));
  if (largest <= most) return all;
  onMessage(`forces follow ${most} of ${largest} variables of a subset: the model is too large for more`);
  return pairsOf(panel, plan.model, most);
}

function varianceFactorOf({ plan }: ProbedRun): number {
  const { config, sets } = plan.stages[questionStageOf(plan)]!;
  const sampling = configuredSampling(config, sets[0]!.size);
  return whyNoVariancePenalty(sampling) === null ? variancePenaltyFactor(sampling) : 0;
}

/**
 * Learning rate of every coordinate as plain SGD takes it: with momentum what that makes of it, `epsilon / (1 - momentum)`.
 * Other optimizers have no such theory: their learning rates are read as those of plain SGD, as in the landscape.
 *
 * @param pace mean factor of schedule and clipping
 */
function ratesAt({ blocks }: Moment, run: ProbedRun, pace: number): Float64Array {
  const { optimizer } = run.plan.stages[questionStageOf(run.plan)]!.config;
  const { rateOf } = questionPopulation(run);
  const factor = optimizer.kind === 'sgd' ? pace / (1 - optimizer.momentum) : pace;
  return ratesOfCoordinates(blocks, rateOf).map((own) => own * factor);
}

/** Slopes along a direction, blocks `[1, size]`, by central differences. */
export function slopesAlong(
  values: BlockVectors,
  direction: BlockVectors,
  meter: PairMeter,
  pairs: PanelPairs,
  step = slopeStep,
): PairSlopes[] {
  const norm = Math.sqrt(blockProducts(direction, direction)[0]!);
  const reach = norm === 0 ? 1 : step / norm;
  const [ahead, behind] = ([reach, -reach] as const).map((signed) => {
    const moved = shiftedBy(values, signed, direction);
    const gradients = meter.gradients(moved, pairs);
    tf.dispose(moved);
    return gradients;
  });
  const slopes = meter.slopes(ahead!, behind!, 2 * reach, pairs);
  ahead!.dispose();
  behind!.dispose();
  return slopes;
}

/**
 * Takes the updates after a checkpoint again and writes what one of them, and an epoch, do to the pairs.
 *
 * @returns mean factor of schedule and clipping over these updates
 */
function writeLedger(
  writer: TableWriter<typeof tables.force_ledger>,
  { stage, step: at, checkpoint, values }: Moment,
  { plan }: ProbedRun,
  meter: PairMeter,
  pairs: PanelPairs,
  stepOf: (blocks: readonly ParameterBlock[]) => ReturnType<typeof gradientFunction>,
): number {
  const { stepsPerEpoch } = plan.stages[stage]!;
  const before = meansAt(values, 0, values, meter, pairs);
  let [taken, factors] = [0, 0];
  for (const { after, rateFactor, clipFactor } of replayStage(plan, stage, checkpoint, stepOf)) {
    taken++;
    factors += rateFactor * clipFactor;
    const isLast = taken === stepsPerEpoch;
    if (taken === 1 || isLast) {
      const change = blockwise(tf.sub, after, values);
      const ahead = meansAt(values, 1, change, meter, pairs);
      const behind = meansAt(values, -1, change, meter, pairs);
      const slopes = slopesAlong(values, change, meter, pairs);
      tf.dispose(change);
      pairs.places.forEach((place, row) => {
        if (place.pairs === 0) return;
        const [now, next, back] = [before[row]!, ahead[row]!, behind[row]!];
        const { innerSlope, cosineSlope } = slopes[row]!;
        const cosines =
          now.cosine === null || next.cosine === null || back.cosine === null
            ? null
            : ([now.cosine, next.cosine, back.cosine] as const);
        writer.append({
          stage,
          step: at,
          updates: taken,
          ...place,
          inner: now.inner,
          inner_change: next.inner - now.inner,
          inner_first: innerSlope,
          inner_second: (next.inner + back.inner) / 2 - now.inner,
          cosine: now.cosine,
          cosine_change: cosines === null ? null : cosines[1] - cosines[0],
          cosine_first: cosineSlope,
          cosine_second: cosines === null ? null : (cosines[1] + cosines[2]) / 2 - cosines[0],
        });
      });
    }
    if (isLast) break;
  }
  writer.flush();
  return factors / taken;
}

/** Means at `values + scale direction`. */
function meansAt(
  values: BlockVectors,
  scale: number,
  direction: BlockVectors,
  meter: PairMeter,
  pairs: PanelPairs,
): PairMeans[] {
  const moved = shiftedBy(values, scale, direction);
  const gradients = meter.gradients(moved, pairs);
  tf.dispose(moved);
  const means = meter.means(gradients, pairs);
  gradients.dispose();
  return means;
}
