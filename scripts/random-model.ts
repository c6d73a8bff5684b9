/**
 * Writes a small model with random parameters as a folder that a config can name, for experiments that pretrain it themselves:
 *
 *     node --import tsx scripts/random-model.ts models/t5-small --type t5 --vocabulary 1024 --width 64 --layers 2 --heads 4
 */
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { UserError } from '../data/errors.js';
import { createStream } from '../data/random/streams.js';
import { encodeSafetensors } from '../src/store/safetensors.js';
import { openFamily } from '../src/train/models/folder/folder.js';

/** Sizes of a random model. */
export interface RandomModel {
  readonly type: 't5' | 'gpt_neox';
  readonly vocabulary: number;
  readonly width: number;
  readonly layers: number;
  readonly heads: number;
  readonly seed: number;
}

/** Writes `config.json` and `model.safetensors` into a folder that may be there already. Throws a UserError for impossible sizes. */
export function writeRandomModel(folder: string, model: RandomModel): void {
  fs.mkdirSync(folder, { recursive: true });
  fs.writeFileSync(path.join(folder, 'config.json'), `${JSON.stringify(configOf(model), null, 2)}\n`);
  const random = createStream(model.seed, 'random-model');
  const tensors = openFamily(folder).model.mappings.flatMap((mapping) =>
    mapping.tensors.map(({ name, shape }) => {
      const values = new Float32Array(shape.reduce((product, size) => product * size, 1));
      if (name.endsWith('norm.weight')) values.fill(1);
      else if (!name.endsWith('.bias')) random.fillNormal(values, standardDeviation(model, name));
      return { name, shape, values };
    }),
  );
  const bytes = Buffer.concat(encodeSafetensors({ tensors, metadata: {} }));
  fs.writeFileSync(path.join(folder, 'model.safetensors'), bytes);
}

function configOf({
  type,
  vocabulary,
  width,
  layers,
  heads,
}: RandomModel): Readonly<Record<string, unknown>> {
  if (width % heads !== 0) throw new UserError(`--heads: ${heads} do not divide the width ${width}`);
  return type === 't5'
    ? {
        model_type: 't5',
        d_model: width,
        d_kv: width / heads,
        d_ff: 4 * width,
        num_layers: layers,
        num_heads: heads,
        vocab_size: vocabulary,
        feed_forward_proj: 'relu',
      }
    : {
        model_type: 'gpt_neox',
        hidden_size: width,
        num_hidden_layers: layers,
        num_attention_heads: heads,
        intermediate_size: 4 * width,
        vocab_size: vocabulary,
      };
}

/** As `transformers` draws them. */
function standardDeviation({ type, width, heads }: RandomModel, name: string): number {
  if (type === 'gpt_neox') return 0.02;
  if (name === 'shared.weight') return 1;
  // The scores of attention are not divided by the root of the size of a head.
  if (name.endsWith('.q.weight')) return 1 / Math.sqrt((width * width) / heads);
  return name.endsWith('.wo.weight') ? 1 / Math.sqrt(4 * width) : 1 / Math.sqrt(width);
}

function main(): void {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      type: { type: 'string', default: 't5' },
      vocabulary: { type: 'string', default: '1024' },
      width: { type: 'string', default: '64' },
      layers: { type: 'string', default: '2' },
      heads: { type: 'string', default: '4' },
      seed: { type: 'string', default: '0' },
    },
  });
  const [folder] = positionals;
  const { type } = values;
  if (folder === undefined || (type !== 't5' && type !== 'gpt_neox'))
    throw new UserError('usage: random-model.ts <folder> --type t5 or gpt_neox');
  const number = (key: 'vocabulary' | 'width' | 'layers' | 'heads' | 'seed'): number => {
    const value = Number(values[key]);
    if (!Number.isSafeInteger(value) || value < 0) throw new UserError(`--${key}: expected a whole number`);
    return value;
  };
  writeRandomModel(folder, {
    type,
    vocabulary: number('vocabulary'),
    width: number('width'),
    layers: number('layers'),
    heads: number('heads'),
    seed: number('seed'),
  });
  console.log(`written: ${folder}`);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  try {
    main();
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    console.error(error.message);
    process.exitCode = 1;
  }
}
