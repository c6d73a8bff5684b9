/**
 * The public door. What is exported here and from `gradscope/experiments`, `gradscope/tables`, `gradscope/statistics` and
 * `gradscope/gradients` keeps its meaning between versions of one major number; everything else may move. Loads no
 * TensorFlow: that is `gradscope/gradients`.
 *
 * @module
 */
export { z } from 'zod';
export { UserError } from '../data/errors.js';
export { createStream, type RandomStream } from '../data/random/streams.js';
export { defineExperiment, type OwnExperiment } from '../data/own-experiment.js';
export type {
  DataShape,
  ExampleDescription,
  ExampleSet,
  Experiment,
  ExperimentData,
  TestSet,
} from '../data/experiment.js';
export type { TrainSubset } from '../data/train-subsets.js';
export { defineStudy } from './analysis/own-study.js';
export type { ControlSpec, QuantitySpec, RunValues, SectionSpec } from './analysis/section.js';
export type { Quantity, RunValue } from './analysis/quantity.js';
export type { RunReader } from './analysis/run-reader.js';
export { openRun, readTable, type RunData } from './analysis/run-data.js';
export { findRuns, type FoundRuns } from './analysis/find-runs.js';
export type { RunInfo } from './store/run-info.js';
export { tableNames, tables, type TableName } from './store/tables/registry.js';
export type { ColumnSet } from './store/column-views.js';
export { meanOverSeeds, pairedDifference } from './analysis/inference/seeds/mean.js';
export type { Estimate } from './analysis/inference/estimate.js';
