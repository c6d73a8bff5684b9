import * as tf from '@tensorflow/tfjs-core';
import type { TextShape } from '../../../../data/experiment.js';
import type { Generation } from '../model.js';
import { atSlot, withRoom } from '../ops/cache.js';
import { causalMask, causalMaskAt, slotMask } from '../ops/masks.js';
import type { CausalArchitecture } from './architecture.js';
import { causalOutput, embedded, positionRows } from './causal.js';
import { transformerNames } from './parameters.js';

/**
 * Generation of a causal transformer. What is kept: lengths of the prompts, number of their slots, then keys and values of
 * every block, `[replica * example, slot, width]`: first the slots of the prompts, of which a shorter one leaves the last ones
 * unused, then one for every token behind them.
 */
export function causalGeneration(architecture: CausalArchitecture, shape: TextShape): Generation {
  const { positions } = architecture;
  const answers = (logits: tf.Tensor3D): tf.Tensor3D =>
    tf.slice(logits, [0, 0, 0], [logits.shape[0], logits.shape[1], shape.outputSize]);
  return {
    padToken: shape.padToken,
    longest: positions.kind === 'learned' ? positions.rows : null,
    begin: (tape, prompts, lengths, room) => {
      const rows = prompts.shape[2];
      const last = tf.expandDims(tf.sub(lengths, tf.scalar(1, 'int32')), 2) as tf.Tensor3D;
      const cache: tf.Tensor3D[] = [];
      const logits = causalOutput(architecture, tape, embedded(architecture, shape, tape, prompts, null), {
        rows,
        positions: null,
        limit: rows,
        mask: causalMask(rows),
        asked: { positions: last, mask: causalMaskAt(last, rows) },
        remember: (keys, values) => {
          cache.push(withRoom(keys, room), withRoom(values, room));
          return [keys, values];
        },
      });
      return { logits: answers(logits), kept: [lengths, tf.scalar(rows, 'int32'), ...cache] };
    },
    next: (tape, kept, tokens, made) => {
      const [replicas, examples] = tokens.shape;
      const batch = replicas * examples;
      const [lengths, prompt, ...cache] = kept as [tf.Tensor2D, tf.Scalar, ...tf.Tensor3D[]];
      const slots = cache[0]!.shape[1];
      const slot = tf.add(prompt, made) as tf.Scalar;
      const place = tf.add(lengths, made) as tf.Tensor2D;
      const words = tape.embedding(tokens, transformerNames.embedding, null);
      const x =
        positions.kind === 'learned'
          ? (tf.add(words, positionRows(tape, tf.expandDims(place, 2))) as tf.Tensor3D)
          : words;
      const updated: tf.Tensor3D[] = [];
      const logits = causalOutput(architecture, tape, x, {
        rows: 1,
        positions: tf.reshape(place, [batch, 1]),
        limit: slots,
        mask: slotMask(tf.reshape(lengths, [batch]), prompt, slot, slots),
        asked: null,
        remember: (key, value) => {
          const first = updated.length;
          const keys = atSlot(cache[first]!, key, slot);
          const values = atSlot(cache[first + 1]!, value, slot);
          updated.push(keys, values);
          return [keys, values];
        },
      });
      return { logits: answers(logits), kept: [lengths, prompt, ...updated] };
    },
  };
}
