import * as tf from '@tensorflow/tfjs-core';
import { gather } from '../../engine/ops/gather.js';
import type { FactorTape } from '../../tape/factor-tape.js';
import type { Generation } from '../model.js';
import { atSlot } from '../ops/cache.js';
import { distanceBuckets } from '../ops/distance-buckets.js';
import { slotMask } from '../ops/masks.js';
import type { SourceShape, T5Architecture } from './architecture.js';
import { t5Names } from './parameters.js';
import { decode, embed, encode, encodedKeys } from './stacks.js';

/**
 * Generation of a T5: prompts are source texts, and the decoder begins with the padding token. What is kept: the mask of the
 * source, keys and values of it for every block of the decoder, then those of the decoder's own tokens, a slot each.
 */
export function t5Generation(architecture: T5Architecture, shape: SourceShape): Generation {
  const { decoderLayers, heads, headSize } = architecture;
  const inner = heads * headSize;

  const read = (
    tape: FactorTape,
    kept: readonly tf.Tensor[],
    tokens: tf.Tensor2D,
    place: tf.Scalar,
  ): ReturnType<Generation['next']> => {
    const [encodedMask, ...tensors] = kept as [tf.Tensor4D, ...tf.Tensor3D[]];
    const encoded = tensors.slice(0, 2 * decoderLayers);
    const cache = tensors.slice(2 * decoderLayers);
    const slots = cache[0]!.shape[1];
    const none = tf.scalar(0, 'int32');
    const updated: tf.Tensor3D[] = [];
    const logits = decode(architecture, tape, embed(tape, tf.expandDims(tokens, 2)), {
      rows: 1,
      bias: biasAt(architecture, tape, place, slots),
      mask: slotMask(tf.zeros([1], 'int32'), none, place, slots),
      remember: (key, value) => {
        const first = updated.length;
        const keys = atSlot(cache[first]!, key, place);
        const values = atSlot(cache[first + 1]!, value, place);
        updated.push(keys, values);
        return [keys, values];
      },
      encodedOf: (layer) => [encoded[2 * layer]!, encoded[2 * layer + 1]!],
      encodedMask,
    });
    const answers = tf.slice(logits, [0, 0, 0], [logits.shape[0], logits.shape[1], shape.outputSize]);
    return { logits: answers, kept: [encodedMask, ...encoded, ...updated] };
  };

  return {
    padToken: shape.padToken,
    longest: null,
    begin: (tape, prompts, _, room) => {
      const [replicas, examples] = prompts.shape;
      const { encoded, mask } = encode(architecture, shape, tape, prompts);
      const keys = Array.from({ length: decoderLayers }, (_, i) =>
        encodedKeys(architecture, tape, encoded, i),
      );
      const empty = keys.flatMap(() => [0, 1].map(() => tf.zeros([replicas * examples, room + 1, inner])));
      const start = tf.fill([replicas, examples], shape.padToken, 'int32') as tf.Tensor2D;
      return read(tape, [mask, ...keys.flat(), ...empty], start, tf.scalar(0, 'int32'));
    },
    next: (tape, kept, tokens, made) => read(tape, kept, tokens, tf.add(made, tf.scalar(1, 'int32'))),
  };
}

/** The decoder's bias for one query at a position, `[replica * example, head, 1, slot]`. */
function biasAt(
  { buckets, longestDistance, heads }: T5Architecture,
  tape: FactorTape,
  place: tf.Scalar,
  slots: number,
): tf.Tensor4D {
  const table = tape.parameter(t5Names.decoderBias) as tf.Tensor3D;
  const replicas = table.shape[0];
  const all = distanceBuckets(slots, slots, { buckets, longest: longestDistance, bothWays: false });
  const own = gather(tf.tensor2d(all, [slots, slots], 'int32'), tf.reshape(place, [1]), 0);
  const rows = gather(table, tf.reshape(own, [slots]), 1);
  const perReplica = tf.reshape(tf.transpose(rows, [0, 2, 1]), [replicas, 1, heads * slots]);
  return tf.reshape(tf.tile(perReplica, [1, tape.examples, 1]), [replicas * tape.examples, heads, 1, slots]);
}
