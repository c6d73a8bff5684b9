import * as tf from '@tensorflow/tfjs-core';
import { UserError } from '../../data/errors.js';
import { compile, type CompiledFunction } from './engine/compiled.js';
import type { Generation, Model } from './models/model.js';
import { unpack, type ParameterBlock } from './parameters/layout.js';
import { FactorTape } from './tape/factor-tape.js';

/** How texts are written. */
export interface GenerationOptions {
  readonly maxNewTokens: number;
  /** Token that ends a text and is no part of it; null: every text has `maxNewTokens`. */
  readonly stopToken: number | null;
  /** Tokens that prompts are filled up to, where they are shorter: one graph for all of them. */
  readonly promptRows?: number;
}

/** Writes texts with a model; holds compiled graphs until it is disposed of. */
export interface Generator {
  /**
   * The most likely token after each prompt, and after that the next ones ("greedy"), with the keys and values of earlier
   * tokens kept. The same every time.
   *
   * @param values blocks of parameters `[replica, size]`
   * @param prompts `[replica][example]` token ids, as many examples for each replica, none empty; of a model with an encoder,
   *   its source texts
   * @returns `[replica][example]` ids that were written, without the stop token
   * @throws UserError when prompt and answer may become longer than the model can read
   */
  generate(
    values: readonly tf.Tensor[],
    prompts: readonly (readonly ArrayLike<number>[])[],
    options: GenerationOptions,
  ): number[][][];
  dispose(): void;
}

/** Every length of prompts is a graph of its own: they are filled up to a multiple of this. */
const promptStep = 8;

/**
 * Builds the (compiled) functions that write texts. Throws a UserError for a model that cannot.
 *
 * @param blocks as the parameters are stored
 */
export function createGenerator(model: Model, blocks: readonly ParameterBlock[]): Generator {
  const { generation } = model;
  if (generation === undefined) throw new UserError('the model writes no texts: it needs one for text');
  const tapeOf = (values: readonly tf.Tensor[], examples: number): FactorTape =>
    new FactorTape(unpack(blocks, values), examples, tf.scalar(0));
  const most = (logits: tf.Tensor3D): tf.Tensor2D => tf.argMax(logits, 2);

  /** By the tokens there must be room for, which no shape of the first function says. */
  const begins = new Map<number, CompiledFunction>();
  const beginOf = (room: number): CompiledFunction => {
    const known = begins.get(room);
    if (known !== undefined) return known;
    const begin = compile('generation begins', (tensors) => {
      const [prompts, lengths, ...values] = tensors as [tf.Tensor3D, tf.Tensor2D, ...tf.Tensor[]];
      const { logits, kept } = generation.begin(tapeOf(values, prompts.shape[1]), prompts, lengths, room);
      return [most(logits), ...passedOn(kept, tensors)];
    });
    begins.set(room, begin);
    return begin;
  };
  const next = compile('generation goes on', (tensors) => {
    const [tokens, made] = tensors as [tf.Tensor2D, tf.Scalar];
    const values = tensors.slice(2, 2 + blocks.length);
    const kept = tensors.slice(2 + blocks.length);
    const step = generation.next(tapeOf(values, tokens.shape[1]), kept, tokens, made);
    return [most(step.logits), ...passedOn(step.kept, tensors)];
  });

  return {
    generate: (values, prompts, { maxNewTokens, stopToken, promptRows = 0 }) => {
      const replicas = prompts.length;
      const examples = prompts[0]?.length ?? 0;
      const written = prompts.map((own) => own.map((): number[] => []));
      if (examples === 0 || maxNewTokens === 0) return written;
      const { rows, tokens, lengths } = paddedPrompts(prompts, generation, promptRows);
      checkLength(Math.max(...lengths), maxNewTokens, generation.longest);
      const room = maxNewTokens - 1;
      const given = [
        tf.tensor3d(tokens, [replicas, examples, rows], 'int32'),
        tf.tensor2d(lengths, [replicas, examples], 'int32'),
      ];
      const isDone = new Uint8Array(replicas * examples);
      let state = beginOf(room)([...given, ...values]);
      for (let made = 0; ; made++) {
        const [chosen, ...kept] = state;
        const ids = chosen!.dataSync<'int32'>();
        for (let i = 0; i < ids.length; i++) {
          if (ids[i] === stopToken) isDone[i] = 1;
          else if (isDone[i] === 0) written[Math.floor(i / examples)]![i % examples]!.push(ids[i]!);
        }
        if (made === room || isDone.every((done) => done === 1)) break;
        const count = tf.scalar(made, 'int32');
        const following = next([chosen!, count, ...values, ...kept]);
        tf.dispose([count, state]);
        state = following;
      }
      tf.dispose([given, state]);
      return written;
    },
    dispose: () => {
      for (const begin of begins.values()) begin.dispose();
      next.dispose();
    },
  };
}

/** Tensors of which the inputs of a function are copied, so that whoever calls it disposes of both. */
function passedOn(tensors: readonly tf.Tensor[], inputs: readonly tf.Tensor[]): tf.Tensor[] {
  return tensors.map((tensor) => (inputs.includes(tensor) ? tf.clone(tensor) : tensor));
}

/** Prompts one after the other, filled up behind their ends to a common length. */
function paddedPrompts(
  prompts: readonly (readonly ArrayLike<number>[])[],
  { padToken, longest }: Pick<Generation, 'padToken' | 'longest'>,
  least: number,
): { rows: number; tokens: Int32Array; lengths: Int32Array } {
  const all = prompts.flat();
  const lengths = Int32Array.from(all, ({ length }) => length);
  if (lengths.includes(0)) throw new UserError('a prompt is empty: it needs one token at least');
  const most = Math.max(...lengths);
  // A text too long for the model is refused by whoever looks at its length.
  const wanted = Math.max(least, Math.ceil(most / promptStep) * promptStep);
  const rows = Math.max(most, Math.min(wanted, longest ?? Infinity));
  const tokens = new Int32Array(all.length * rows).fill(padToken);
  all.forEach((prompt, i) => tokens.set(Array.from(prompt), i * rows));
  return { rows, tokens, lengths };
}

function checkLength(prompt: number, maxNewTokens: number, longest: number | null): void {
  // The last token is written and not read.
  if (longest === null || prompt + maxNewTokens - 1 <= longest) return;
  throw new UserError(
    `a prompt of ${prompt} tokens and ${maxNewTokens} after it are more than the ${longest} positions of the model; shorten one`,
  );
}
