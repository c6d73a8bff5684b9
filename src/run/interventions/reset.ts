import { z } from 'zod';
import { createStream } from '../../../data/random/streams.js';
import type { NamedTensor } from '../../store/safetensors.js';
import type { Model } from '../../train/models/model.js';
import type { Intervention } from './intervention.js';
import { matchesAny, patternProblem, patternsSchema } from './patterns.js';

export const resetSchema = z
  .strictObject({
    parameters: patternsSchema,
    to: z
      .enum(['initial', 'fresh'])
      .default('initial')
      .describe('initial: the values that the run began with; fresh: other ones, drawn alike'),
  })
  .nullable()
  .default(null)
  .describe('parameters that begin the stage with initial values again');

/** Parameters that begin a stage untrained. */
export const reset: Intervention = {
  key: 'reset',
  changesGradient: false,
  problem: () => null,
  planProblem: ({ config, stage, cost: { parameterNames } }) => {
    const own = config.stages[stage]!.reset;
    const problem = patternProblem(own?.parameters ?? [], parameterNames);
    if (problem !== null) return `parameters: ${problem}`;
    if (own?.to === 'fresh' && config.model.kind === 'folder')
      return 'to: the values of a model folder are not drawn, so that there are no fresh ones; set it to initial';
    return stage === 0 && own?.to === 'initial'
      ? 'to: in the first stage parameters have their initial values; set it to fresh, or leave reset out'
      : null;
  },
  activate: ({ plan: { model, seeds }, stage: { config }, learner }) => {
    const { reset: own } = config;
    if (own === null) return null;
    return {
      begin: () => {
        const name = own.to === 'initial' ? 'initialisation' : `reset/${config.name}`;
        const isReset = ({ name: parameter }: { readonly name: string }): boolean =>
          matchesAny(own.parameters, parameter);
        const values = seeds.map((seed) => initialValues(model, seed, name, isReset));
        const distances = values.map((after, replica) =>
          distance(learner.parameterValues(replica).filter(isReset), after),
        );
        learner.assign(values);
        return { reset_distance: distances };
      },
    };
  },
};

/** Initial values of parameters: a stream draws them in the model's order, also those that nobody wants. */
function initialValues(
  { parameters }: Model,
  seed: number,
  stream: string,
  isWanted: (parameter: { readonly name: string }) => boolean,
): NamedTensor[] {
  const random = createStream(seed, stream);
  return parameters.flatMap((parameter) => {
    const { name, shape, initialise, isStored } = parameter;
    if (isStored === true && !isWanted(parameter)) return [];
    const own = { name, shape, values: initialise(random) };
    return isWanted(own) ? [own] : [];
  });
}

/** Euclidean distance of values of the same parameters. */
function distance(from: readonly NamedTensor[], to: readonly NamedTensor[]): number {
  let sum = 0;
  from.forEach(({ values }, i) => {
    const others = to[i]!.values;
    values.forEach((value, k) => {
      sum += (others[k]! - value) ** 2;
    });
  });
  return Math.sqrt(sum);
}
