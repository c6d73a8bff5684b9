import { assertInteger } from '../inference/check.js';

/**
 * Finite-population correction `(N - B) / (N - 1)` of the variance of a mean of B of N examples drawn without
 * replacement: exactly 0 for the full batch. Throws a RangeError unless 1 <= B <= N.
 */
export function populationCorrection(batchSize: number, population: number): number {
  assertInteger('batch size', batchSize, 1);
  assertInteger('population', population, batchSize);
  return population === batchSize ? 0 : (population - batchSize) / (population - 1);
}

/**
 * `kappa = (N-B)/(N-1) epsilon / (4B)`, coefficient of Gamma in Smith's implicit penalty (Smith, Dherin, Barrett and De
 * 2021, with the finite-population correction), in units of the learning rate. Throws a RangeError unless
 * 1 <= B <= N.
 */
export function kappa(learningRate: number, batchSize: number, population: number): number {
  return populationCorrection(batchSize, population) * (learningRate / (4 * batchSize));
}
