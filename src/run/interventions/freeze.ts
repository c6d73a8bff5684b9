import * as tf from '@tensorflow/tfjs-core';
import { z } from 'zod';
import { squaredNorms } from '../../train/parameters/block-vectors.js';
import type { ParameterBlock } from '../../train/parameters/layout.js';
import type { ActiveIntervention, ComingGradient, Intervention } from './intervention.js';
import { matchesAny, patternProblem, patternsSchema, trainedIn } from './patterns.js';

export const freezeSchema = z
  .strictObject({ parameters: patternsSchema })
  .nullable()
  .default(null)
  .describe('parameters that the stage leaves as they are: no update, no weight decay, no momentum');

/**
 * Parameters that a stage does not train. Their learning rate is 0 (`learningRates`), of which updates, momentum and weight
 * decay are multiples under every optimizer; here their gradient is taken out, so that clipping sees the gradient that is
 * trained with.
 */
export const freeze: Intervention = {
  key: 'freeze',
  changesGradient: true,
  problem: () => null,
  planProblem: ({ config, stage, cost: { parameterNames } }) => {
    const patterns = config.stages[stage]!.freeze?.parameters ?? [];
    const problem = patternProblem(patterns, parameterNames);
    if (problem !== null) return `parameters: ${problem}`;
    return parameterNames.every((name) => matchesAny(patterns, name))
      ? 'parameters: the patterns match every parameter of the model, so that nothing is trained; leave one out'
      : null;
  },
  activate: ({ stage, learner }) => {
    if (stage.config.freeze === null) return null;
    return removal(learner.blocks, trainedIn(stage.config));
  },
};

/** Takes parameters out of gradients; the others keep theirs, bit for bit. */
function removal(
  blocks: readonly ParameterBlock[],
  isTrained: (parameter: string) => boolean,
): ActiveIntervention {
  // 1 where a block is trained and 0 where it is frozen, `[1, size]`; null where all of it is trained.
  const masks = blocks.map(({ size, parameters }) => {
    if (parameters.every(({ name }) => isTrained(name))) return null;
    const mask = new Float32Array(size).fill(1);
    for (const own of parameters) if (!isTrained(own.name)) mask.fill(0, own.offset, own.offset + own.size);
    return tf.tensor2d(mask, [1, size]);
  });
  return {
    change: ({ gradient, blocks: given }: ComingGradient) => {
      const changed = given.map((block, i) =>
        masks[i] === null ? block : tf.mul<tf.Tensor2D>(block, masks[i]!),
      );
      const frozen = tf.tidy(() =>
        squaredNorms(
          gradient.blocks.flatMap((block, i) =>
            masks[i] === null ? [] : [tf.mul(block, tf.sub(1, masks[i]!))],
          ),
        ),
      );
      const whole = gradient.norm2.dataSync();
      const shares = Array.from(frozen.dataSync(), (own, replica) =>
        whole[replica]! > 0 ? own / whole[replica]! : null,
      );
      frozen.dispose();
      return { blocks: changed, values: { freeze_share: shares } };
    },
    dispose: () => tf.dispose(masks.filter((mask) => mask !== null)),
  };
}
