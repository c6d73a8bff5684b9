/**
 * What an experiment's data are made with, engine-free: fields, tables of examples, rows of text, random streams, and the
 * built-in experiments.
 *
 * @module
 */
export { defineExperiment, type OwnExperiment } from '../data/own-experiment.js';
export type {
  BuildOptions,
  CounterfactualKind,
  Counterfactuals,
  DataShape,
  DataSizes,
  ExampleDescription,
  ExampleSet,
  Experiment,
  ExperimentData,
  FieldBuffers,
  FieldSpec,
  FieldSpecs,
  ImageShape,
  TestSet,
  TextShape,
} from '../data/experiment.js';
export type { LossConfig } from '../data/loss.js';
export { allocateFields, fieldSize, float32Field, int32Field } from '../data/fields.js';
export { partKinds, type ExamplePiece, type PartKind } from '../data/pieces.js';
export { hashTables } from '../data/hash.js';
export { tableExamples, type ExampleTable } from '../data/table.js';
export {
  groupName,
  parseGroupName,
  type Design,
  type ExampleKind,
  type GroupName,
  type SubsetDesign,
  type TagDesign,
} from '../data/design.js';
export { groupsOf, trainsOn, type TrainSubset } from '../data/train-subsets.js';
export { questionFields, textLayout, trainingFields, type TextLayout } from '../data/text/layout.js';
export { writeQuestionRow, writeTrainingRow, type Text } from '../data/text/rows.js';
export {
  loadTokenizer,
  readTextFile,
  type LoadTokenizerOptions,
  type ReadText,
} from '../data/text/tokenizer/load.js';
export {
  createTokenizer,
  type DecodeOptions,
  type Tokenizer,
  type TokenizerOptions,
} from '../data/text/tokenizer/tokenizer.js';
export type { SpecialIds } from '../data/text/tokenizer/special-tokens.js';
export { encodeParts, type EncodedParts, type TextPart } from '../data/text/tokenizer/parts.js';
export { tokenizerFromVocabAndMerges } from '../data/text/tokenizer/vocab-and-merges.js';
export {
  wordTokenizer,
  type WordTokenizerFiles,
  type WordTokenizerOptions,
} from '../data/text/tokenizer/word-level.js';
export { createStream, type RandomStream } from '../data/random/streams.js';
export { setInclusion } from '../data/set-inclusion/experiment.js';
export { mnistQa } from '../data/mnist-qa/experiment.js';
