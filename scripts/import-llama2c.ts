/**
 * Writes a model of llama2.c (its legacy export, `stories260K.bin`) as a Llama folder that a config can name:
 *
 *     node --import tsx scripts/import-llama2c.ts stories260K.bin models/stories260K
 *
 * The file: seven int32 (dim, hidden, layers, heads, key-value heads, vocabulary, sequence), little-endian, then float32 tensors,
 * each for all layers. A negative vocabulary says that the classifier is a table of its own, at the end.
 */
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { UserError } from '../data/errors.js';
import { encodeSafetensors, type NamedTensor } from '../src/store/safetensors.js';

/** A model of llama2.c as a Llama folder has it. */
export interface ImportedLlama {
  readonly config: Readonly<Record<string, unknown>>;
  readonly tensors: readonly NamedTensor[];
}

/** Throws a UserError for a file of another length than its numbers say. */
export function readLlama2c(file: string): ImportedLlama {
  const bytes = fs.readFileSync(file);
  if (bytes.length < 28) throw new UserError(`${file}: ${bytes.length} bytes are no model of llama2.c`);
  const header = Array.from({ length: 7 }, (_, i) => bytes.readInt32LE(4 * i));
  const [width, hidden, layers, heads, keyValueHeads, vocabulary, rows] = header as [
    number,
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  const headSize = width / heads;
  const keys = keyValueHeads * headSize;
  const tokens = Math.abs(vocabulary);
  const isTied = vocabulary > 0;
  let offset = 28;
  const read = (size: number): Float32Array => {
    if (offset + 4 * size > bytes.length)
      throw new UserError(`${file}: is too short for a model of its sizes`);
    const values = Float32Array.from({ length: size }, (_, i) => bytes.readFloatLE(offset + 4 * i));
    offset += 4 * size;
    return values;
  };
  const tensors: NamedTensor[] = [];
  const add = (name: string, shape: readonly number[], values: Float32Array): void => {
    tensors.push({ name: `${name}.weight`, shape, values });
  };
  /** One tensor for every layer, by its name within the layer. */
  const addLayers = (
    name: string,
    shape: readonly number[],
    change: (values: Float32Array) => Float32Array = (values) => values,
  ): void => {
    const size = shape.reduce((product, length) => product * length, 1);
    for (let i = 0; i < layers; i++) add(`model.layers.${i}.${name}`, shape, change(read(size)));
  };
  const halved = (values: Float32Array): Float32Array => interleavedToHalves(values, headSize, width);

  add('model.embed_tokens', [tokens, width], read(tokens * width));
  addLayers('input_layernorm', [width]);
  addLayers('self_attn.q_proj', [width, width], halved);
  addLayers('self_attn.k_proj', [keys, width], halved);
  addLayers('self_attn.v_proj', [keys, width]);
  addLayers('self_attn.o_proj', [width, width]);
  addLayers('post_attention_layernorm', [width]);
  addLayers('mlp.gate_proj', [hidden, width]);
  addLayers('mlp.down_proj', [width, hidden]);
  addLayers('mlp.up_proj', [hidden, width]);
  add('model.norm', [width], read(width));
  // Tables of cosines and sines, which follow from the sizes.
  read(rows * headSize);
  if (!isTied) add('lm_head', [tokens, width], read(tokens * width));
  if (offset !== bytes.length)
    throw new UserError(`${file}: has ${bytes.length - offset} bytes more than a model of its sizes`);
  const config = {
    architectures: ['LlamaForCausalLM'],
    model_type: 'llama',
    hidden_size: width,
    intermediate_size: hidden,
    num_hidden_layers: layers,
    num_attention_heads: heads,
    num_key_value_heads: keyValueHeads,
    vocab_size: tokens,
    max_position_embeddings: rows,
    rms_norm_eps: 1e-5,
    rope_theta: 10_000,
    hidden_act: 'silu',
    tie_word_embeddings: isTied,
    attention_bias: false,
    mlp_bias: false,
    bos_token_id: 1,
    eos_token_id: 2,
    torch_dtype: 'float32',
  };
  return { config, tensors };
}

/** Rows of a head in pairs (0, 1), (2, 3), ... as Hugging Face has them: first those at the front of each pair, then the others. */
function interleavedToHalves(values: Float32Array, headSize: number, inputs: number): Float32Array {
  const result = new Float32Array(values.length);
  const half = headSize / 2;
  for (let row = 0; row < values.length / inputs; row++) {
    const place = row % headSize;
    const source = row - place + (place < half ? 2 * place : 2 * (place - half) + 1);
    result.set(values.subarray(source * inputs, (source + 1) * inputs), row * inputs);
  }
  return result;
}

/** Writes the folder. */
export function writeLlamaFolder({ config, tensors }: ImportedLlama, folder: string): void {
  fs.mkdirSync(folder, { recursive: true });
  fs.writeFileSync(path.join(folder, 'config.json'), `${JSON.stringify(config, null, 2)}\n`);
  const content = encodeSafetensors({ tensors, metadata: { format: 'pt' } });
  fs.writeFileSync(path.join(folder, 'model.safetensors'), Buffer.concat(content));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [file, folder] = process.argv.slice(2);
  if (file === undefined || folder === undefined) {
    process.stderr.write('usage: node --import tsx scripts/import-llama2c.ts <model.bin> <folder>\n');
    process.exitCode = 1;
  } else writeLlamaFolder(readLlama2c(file), folder);
}
