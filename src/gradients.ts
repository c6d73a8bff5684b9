/**
 * Gradients of groups and single examples of a model and a loop of a person's own, by the factor tape, and measures of
 * them. Loads TensorFlow:
 * call `loadEngine` first, and use the `tf` of this module, so that there is one copy of it.
 *
 * @module
 */
export * as tf from '@tensorflow/tfjs-core';
export { loadEngine, type Engine, type EngineRequest, type Threads } from './train/engine/load.js';
export { FactorTape, type ParameterTensors, type SiteHook } from './train/tape/factor-tape.js';
export type { EmbeddingUse, LinearUse, ParameterUse, VectorUse } from './train/tape/uses.js';
export type { ConvolutionShape } from './train/tape/patches.js';
export { backward, recordBackward, type Backward } from './train/backward.js';
export { editedModel, editInputs, type SiteEdit } from './train/sites/edit.js';
export { readActivations } from './train/sites/read.js';
export { sitesNamed, type Site } from './train/sites/site.js';
export { queryLoss } from './train/models/ops/query-loss.js';
export type {
  Generation,
  GenerationStep,
  Model,
  ModelContext,
  ModelInputs,
  ModelSource,
  ParameterSpec,
} from './train/models/model.js';
export { createGenerator, type GenerationOptions, type Generator } from './train/generate.js';
export { buildFolderModel } from './train/models/folder/folder.js';
export type { FolderConfig } from './train/models/folder/config.js';
export { pack, planBlocks, unpack, type ParameterBlock, type Placement } from './train/parameters/layout.js';
export { assembleGradients, type AssembledGradients } from './train/gradient.js';
export { exampleNorms2 } from './train/groups/example-norms.js';
export { gradientsOfGroups } from './train/groups/gradients-of-groups.js';
export { disposeUses } from './train/tape/uses.js';
export { gramMatrix, gramOf, sumOfGrams, type Gram } from './analysis/measures/gram.js';
export type { Measured } from './analysis/measures/measured.js';
export { cosine, cosineGram } from './analysis/measures/cosine.js';
export { cosinesToMean, meanCosineToMean } from './analysis/measures/cosine-to-mean.js';
export { layerShares } from './analysis/measures/layer-share.js';
export { signAgreement } from './analysis/measures/sign-agreement.js';
export { adamDiagonal, preconditionedCosine } from './analysis/measures/preconditioned-cosine.js';
export { gradientVariance, type GradientMoments } from './analysis/measures/gradient-variance.js';
export { batchNorms, type BatchNorms } from './analysis/measures/batch-moments.js';
export { normTest } from './analysis/measures/norm-test.js';
export { innerProductTest } from './analysis/measures/inner-product-test.js';
export { coordinateMoments, coordinateMomentsOf } from './analysis/measures/coordinate-moments.js';
export { gradientSnr, type CoordinateMoments, type GradientSnr } from '../data/gradient-snr.js';
export { evidenceBasedCriterion } from './analysis/measures/evidence-based-criterion.js';
