import { batchComposition, compositionDynamics } from './batch-composition.js';
import { blockForceCheck } from './block-forces.js';
import type { Check } from './check.js';
import { firstOrderTransfer } from './first-order-transfer.js';
import { ghostProductCheck } from './ghost-products.js';
import { intervalCoverage } from './interval-coverage.js';
import { nicholCoefficients } from './nichol-coefficients.js';
import { oneGram } from './one-gram.js';
import { orderEffect } from './order-effect.js';
import { partitionAverage } from './partition-average.js';
import { shiftedGradients } from './shifted-gradients.js';
import { epochWithReplacement, shuffledEpoch } from './shuffled-epoch.js';
import { sketchError, type SketcherFactory } from './sketch-error.js';
import { storagePrecision } from './storage-precision.js';
import { unbiasedEstimators } from './unbiased-estimators.js';

/** What a check looks at that this room may not import. */
export interface Shipped {
  readonly createSketcher: SketcherFactory;
}

/**
 * The checks that need no engine, on the functions that reports and logs use; those of the engine's own kernels are in
 * `src/probe/engine-checks.ts`.
 */
export const checksOf = ({ createSketcher }: Shipped): readonly Check[] => [
  { id: 'V0', name: 'every measure of one Gram matrix', run: oneGram },
  { id: 'V1', name: "a shuffled epoch follows Smith's modified loss", run: shuffledEpoch },
  { id: 'V2', name: 'variance of a batch mean over partitions', run: partitionAverage },
  { id: 'V3', name: 'no variance term with replacement', run: epochWithReplacement },
  { id: 'V4', name: 'batch composition sets the minibatch norm', run: batchComposition },
  { id: 'V4b', name: 'and where an epoch ends', run: compositionDynamics },
  { id: 'V5', name: 'effect of the order of two batches', run: orderEffect },
  { id: 'V6', name: 'inner products in Reptile, FOMAML and MAML', run: nicholCoefficients },
  { id: 'V7', name: 'variance penalty by shifted gradients', run: shiftedGradients },
  { id: 'V8', name: 'unbiased estimators', run: unbiasedEstimators },
  { id: 'V9', name: 'error of a sketched cosine', run: () => sketchError(createSketcher) },
  { id: 'V10', name: 'float32 storage and long sums', run: storagePrecision },
  { id: 'V11', name: 'first-order transfer', run: firstOrderTransfer },
  { id: 'V12', name: 'ghost products', run: ghostProductCheck },
  { id: 'V13', name: 'coverage of the intervals of reports', run: intervalCoverage },
  { id: 'V14', name: 'forces on the inner product of two gradients', run: blockForceCheck },
];
