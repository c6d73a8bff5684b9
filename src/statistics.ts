/**
 * Statistics of numbers over seeds and entities, engine-free: intervals, tests, corrections. Whatever cannot be computed
 * is an `Absent` with its reason instead of an exception or NaN; random draws come from a stream that is passed in.
 *
 * @module
 */
export type { Absent, Estimate, EstimateValue, Interval, Unit } from './analysis/inference/estimate.js';
export type { Alternative, TestResult, TestValue } from './analysis/inference/test-result.js';
export { meanOverSeeds, pairedDifference } from './analysis/inference/seeds/mean.js';
export { pairedComparison, type PairedComparison } from './analysis/inference/seeds/paired-comparison.js';
export { pairBySeed } from './analysis/inference/seeds/pair-by-seed.js';
export { welchDifference } from './analysis/inference/seeds/welch.js';
export { effectSize } from './analysis/inference/seeds/effect-size.js';
export { signFlipTest } from './analysis/inference/seeds/sign-flip.js';
export { wilcoxonSignedRank } from './analysis/inference/seeds/wilcoxon.js';
export { ratioOfMeans } from './analysis/inference/ratio.js';
export { bootstrap, type StatisticOptions } from './analysis/inference/bootstrap/bootstrap.js';
export { nested, withReplacement, type Resampler } from './analysis/inference/bootstrap/resample.js';
export { studentisedMean } from './analysis/inference/bootstrap/studentised-mean.js';
export { hierarchicalMean } from './analysis/inference/bootstrap/hierarchical-mean.js';
export { holm } from './analysis/inference/multiplicity/holm.js';
export { benjaminiHochberg } from './analysis/inference/multiplicity/benjamini-hochberg.js';
export { maxStatisticTest } from './analysis/inference/multiplicity/max-statistic.js';
export { equivalenceTest } from './analysis/inference/equivalence.js';
export { judgeClaim } from './analysis/inference/claim.js';
export { jonckheereTest } from './analysis/inference/trend/jonckheere.js';
export { pageTest } from './analysis/inference/trend/page.js';
export { spearman } from './analysis/inference/trend/spearman.js';
export { leastSquares } from './analysis/inference/trend/least-squares.js';
export { slopeOverSeeds } from './analysis/inference/trend/slope-over-seeds.js';
export { tagFlipTest } from './analysis/inference/permutation/tag-flip.js';
export { tagShuffleTest } from './analysis/inference/permutation/tag-shuffle.js';
export { matchingTest } from './analysis/inference/permutation/matching-test.js';
export { allPairsMean } from './analysis/inference/u-statistics/all-pairs.js';
export { crossPairsMean } from './analysis/inference/u-statistics/cross-pairs.js';
export { matchedContrast } from './analysis/inference/u-statistics/matched-contrast.js';
export {
  entityBlocks,
  matchedBlocks,
  squareBlocks,
} from './analysis/inference/u-statistics/entity-blocks.js';
export {
  examplesOf,
  matchingBlocks,
  panelBlocks,
  type EntityPanel,
  type EntityValues,
  type PanelExample,
  type Side,
} from './analysis/measures/nulls/panel.js';
export { matched } from './analysis/measures/nulls/matched.js';
export { matchedMinusMismatched, mismatched } from './analysis/measures/nulls/mismatched.js';
export { entitySwap, tagSwap, type TagPair } from './analysis/measures/nulls/swaps.js';
export { minimalDetectableEffect, powerOf, seedsNeeded } from './analysis/inference/power.js';
export { createStream, type RandomStream } from '../data/random/streams.js';
