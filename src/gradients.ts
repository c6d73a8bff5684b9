/**
 * Gradients of groups and single examples of a model and a loop of a person's own, by the factor tape. Loads TensorFlow:
 * call `loadEngine` first, and use the `tf` of this module, so that there is one copy of it.
 *
 * @module
 */
export * as tf from '@tensorflow/tfjs-core';
export { loadEngine, type Engine, type EngineRequest, type Threads } from './train/engine/load.js';
export { FactorTape, type ParameterTensors } from './train/tape/factor-tape.js';
export type { EmbeddingUse, LinearUse, ParameterUse, VectorUse } from './train/tape/uses.js';
export type { ConvolutionShape } from './train/tape/patches.js';
export { backward, recordBackward, type Backward } from './train/backward.js';
export { queryLoss } from './train/models/ops/query-loss.js';
export type { Model, ModelInputs, ParameterSpec } from './train/models/model.js';
export { assembleGradients, type AssembledGradients } from './train/gradient.js';
export { exampleNorms2 } from './train/groups/example-norms.js';
export { gradientsOfGroups } from './train/groups/gradients-of-groups.js';
export { disposeUses } from './train/tape/uses.js';
export { gramOf, type Gram } from './analysis/measures/gram.js';
export { cosine } from './analysis/measures/cosine.js';
