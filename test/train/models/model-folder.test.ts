import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import type { TextShape } from '../../../data/experiment.js';
import { UserError } from '../../../data/errors.js';
import { decodeSafetensors, encodeSafetensors, type NamedTensor } from '../../../src/store/safetensors.js';
import { readStoredTensor, storedTensors } from '../../../src/store/stored-tensors.js';
import { folderHash } from '../../../src/train/models/folder/model-folder.js';
import { buildModel } from '../../../src/train/models/registry.js';
import { createStream } from '../../../data/random/streams.js';

const fixtures = 'test/fixtures/models';
const root = fs.mkdtempSync(path.join(os.tmpdir(), 'gradscope-models-'));
afterAll(() => fs.rmSync(root, { recursive: true, force: true }));

const shape: TextShape = {
  modality: 'text',
  vocabularySize: 64,
  variables: 0,
  outputSize: 64,
  blockSize: 7,
  queries: 6,
  padToken: 0,
};

let made = 0;
/** A copy of a fixture that may be broken. */
function copyOf(name: string): string {
  const folder = path.join(root, String(made++));
  fs.cpSync(path.join(fixtures, name), folder, { recursive: true });
  return folder;
}

function build(from: string, own: Partial<TextShape> = {}) {
  const config = { kind: 'folder', from, variableEmbedding: null, tagEmbedding: null } as const;
  return buildModel(config, { shape: { ...shape, ...own }, hidePadding: false });
}

/** The one line that is said of a folder. */
function refusal(from: string, own: Partial<TextShape> = {}): string {
  try {
    build(from, own);
  } catch (error) {
    expect(error).toBeInstanceOf(UserError);
    const { message } = error as UserError;
    expect(message).not.toContain('\n');
    return message.replaceAll(from, '<folder>');
  }
  throw new Error('not refused');
}

function changeConfig(folder: string, change: Record<string, unknown>): string {
  const file = path.join(folder, 'config.json');
  const content = { ...(JSON.parse(fs.readFileSync(file, 'utf8')) as object), ...change };
  fs.writeFileSync(file, JSON.stringify(content));
  return folder;
}

function changeTensors(
  folder: string,
  change: (tensors: readonly NamedTensor[]) => readonly NamedTensor[],
): string {
  const file = path.join(folder, 'model.safetensors');
  const { tensors } = decodeSafetensors(file, fs.readFileSync(file));
  fs.writeFileSync(file, Buffer.concat(encodeSafetensors({ tensors: change(tensors), metadata: {} })));
  return folder;
}

/** Rewrites the header of the weights, with the data as they are. */
function changeHeader(
  folder: string,
  change: (header: Record<string, { dtype: string; data_offsets: number[] }>) => void,
): string {
  const file = path.join(folder, 'model.safetensors');
  const bytes = fs.readFileSync(file);
  const length = Number(bytes.readBigUInt64LE(0));
  const header = JSON.parse(bytes.toString('utf8', 8, 8 + length)) as Parameters<typeof change>[0];
  change(header);
  const text = Buffer.from(JSON.stringify(header));
  const size = Buffer.alloc(8);
  size.writeBigUInt64LE(BigInt(text.length));
  fs.writeFileSync(file, Buffer.concat([size, text, bytes.subarray(8 + length)]));
  return folder;
}

describe('a folder that cannot be read is refused with one line', () => {
  test('no folder, no config, another family', () => {
    expect(refusal(path.join(root, 'nowhere'))).toBe('<folder>: no such folder; give the folder of a model');
    const empty = path.join(root, 'empty');
    fs.mkdirSync(empty);
    expect(refusal(empty)).toBe(
      '<folder>/config.json: is missing; give a folder that save_pretrained has written',
    );
    expect(refusal(changeConfig(copyOf('gpt2'), { model_type: 'bert' }))).toBe(
      '<folder>/config.json: model_type: bert cannot be computed; known are gpt_neox, gpt2, llama, t5',
    );
    expect(refusal(changeConfig(copyOf('gpt2'), { n_head: 'four' }))).toMatch(
      /^<folder>\/config\.json: n_head: expected number/,
    );
    expect(refusal(changeConfig(copyOf('gpt2'), { n_head: 3 }))).toBe(
      '<folder>/config.json: n_head: 3 do not divide n_embd 16',
    );
    expect(
      refusal(changeConfig(copyOf('llama'), { rope_parameters: { rope_type: 'llama3', rope_theta: 1e4 } })),
    ).toMatch(/rope_parameters: rotary positions of type llama3 cannot be computed/);
  });

  test('no weights, or pickled ones', () => {
    const folder = copyOf('gpt2');
    fs.rmSync(path.join(folder, 'model.safetensors'));
    expect(refusal(folder)).toMatch(
      /^<folder>: there is no model\.safetensors and no model\.safetensors\.index\.json; /,
    );
    fs.writeFileSync(path.join(folder, 'pytorch_model.bin'), '');
    expect(refusal(folder)).toMatch(
      /^<folder>\/pytorch_model\.bin: weights in Python's pickle format are not read.*save_pretrained\(folder, safe_serialization=True\)/,
    );
  });

  test('a missing shard, and one without a tensor that the index names', () => {
    const folder = copyOf('neox');
    const shards = fs.readdirSync(folder).filter((name) => /^model-.*\.safetensors$/.test(name));
    expect(shards.length).toBeGreaterThan(1);
    expect(build(folder).parameters.length).toBeGreaterThan(20);
    const index = path.join(folder, 'model.safetensors.index.json');
    const content = fs.readFileSync(index, 'utf8');
    fs.writeFileSync(index, content.replace('"weight_map": {', `"weight_map": { "another": "${shards[0]}",`));
    expect(refusal(folder)).toBe(
      '<folder>/model.safetensors.index.json: names tensors that its files do not hold: another; copy all shards',
    );
    fs.writeFileSync(index, content);
    fs.rmSync(path.join(folder, shards[1]!));
    expect(refusal(folder)).toBe(
      `<folder>: ${shards[1]} of model.safetensors.index.json missing; copy all shards`,
    );
  });

  test('all tensors that are missing, unknown or of another shape are listed by name', () => {
    const folder = changeTensors(copyOf('gpt2'), (tensors) =>
      tensors
        .filter(({ name }) => !name.endsWith('h.1.ln_1.bias') && !name.endsWith('h.0.ln_2.weight'))
        .map((own) => (own.name.endsWith('wte.weight') ? { ...own, shape: own.shape.toReversed() } : own))
        .concat({ name: 'head.weight', shape: [1], values: new Float32Array(1) }),
    );
    expect(refusal(folder)).toBe(
      '<folder>: its tensors are not those of the gpt2 in its config.json; missing: transformer.h.0.ln_2.weight, ' +
        'transformer.h.1.ln_1.bias; not known: head.weight; of another shape: transformer.wte.weight [16,64] instead of [64,16]',
    );
  });

  test('damaged files', () => {
    const cut = copyOf('gpt2');
    const file = path.join(cut, 'model.safetensors');
    fs.truncateSync(file, fs.statSync(file).size - 100);
    expect(refusal(cut)).toMatch(
      /^<folder>\/model\.safetensors: not a valid safetensors file: \S+ ends behind the end of the file$/,
    );
    fs.truncateSync(file, 4);
    expect(refusal(cut)).toBe('<folder>/model.safetensors: not a valid safetensors file: 4 bytes long');
    const overlapping = changeHeader(copyOf('gpt2'), (header) => {
      const [first, second] = Object.values(header)
        .filter((own) => 'data_offsets' in own)
        .toSorted((a, b) => a.data_offsets[0]! - b.data_offsets[0]!);
      second!.data_offsets = [first!.data_offsets[0]!, second!.data_offsets[1]!];
    });
    expect(refusal(overlapping)).toMatch(/not a valid safetensors file: overlapping tensors before \S+$/);
    const wrongType = changeHeader(copyOf('llama-tied'), (header) => {
      for (const own of Object.values(header)) if (own.dtype === 'BF16') own.dtype = 'I16';
    });
    const model = build(wrongType);
    const [first] = model.parameters;
    expect(() => first!.initialise(createStream(0, 'unused'))).toThrow(
      /has type I16, and F32, F16 and BF16 can be read; save the model in one of them$/,
    );
  });

  test('data that do not fit', () => {
    expect(refusal(copyOf('gpt2'), { vocabularySize: 65, outputSize: 65 })).toBe(
      '<folder>: the model has 64 tokens and the data 65; give the data the tokenizer of this folder',
    );
    expect(refusal(copyOf('gpt2'), { blockSize: 17 })).toBe(
      '<folder>: the model has 16 positions and the texts up to 17 tokens; shorten them',
    );
    expect(refusal(copyOf('gpt2'), { inputLength: 3 })).toMatch(/^model\.kind folder continues a text/);
    expect(refusal(copyOf('t5'))).toMatch(/^model\.kind folder: a t5 reads a source text and writes another/);
    expect(refusal(copyOf('gpt2'), { variables: 3 })).toMatch(/^model\.variableEmbedding is null/);
  });
});

test('masks and frequencies that older versions saved are no parameters', () => {
  const before = build(copyOf('neox-sequential')).parameters;
  const folder = changeTensors(copyOf('neox-sequential'), (tensors) => [
    ...tensors,
    ...['bias', 'masked_bias', 'rotary_emb.inv_freq'].map((name) => ({
      name: `gpt_neox.layers.1.attention.${name}`,
      shape: [2],
      values: new Float32Array(2),
    })),
  ]);
  expect(build(folder).parameters.map(({ name }) => name)).toEqual(before.map(({ name }) => name));
});

test('a trunk that was saved without its head has its names, and a tied table may be there twice', () => {
  const random = createStream(0, 'unused');
  const valuesOf = (folder: string): Float32Array[] =>
    build(folder).parameters.map((own) => own.initialise(random));
  const whole = valuesOf(copyOf('gpt2'));
  const trunk = changeTensors(copyOf('gpt2'), (tensors) =>
    tensors.map((own) => ({ ...own, name: own.name.replace(/^transformer\./, '') })),
  );
  expect(valuesOf(trunk)).toEqual(whole);
  const table = (tensors: readonly NamedTensor[]): NamedTensor =>
    tensors.find(({ name }) => name.endsWith('wte.weight'))!;
  const twice = changeTensors(copyOf('gpt2'), (tensors) => [
    ...tensors,
    { ...table(tensors), name: 'lm_head.weight' },
  ]);
  expect(valuesOf(twice)).toEqual(whole);
  const differing = changeTensors(copyOf('gpt2'), (tensors) => [
    ...tensors,
    { ...table(tensors), name: 'lm_head.weight', values: table(tensors).values.map((own) => own + 1) },
  ]);
  expect(() => valuesOf(differing)).toThrow(
    /lm_head\.weight and transformer\.wte\.weight have different values/,
  );
});

test('a tensor is read alone, in all types, as the whole file is', () => {
  for (const name of ['gpt2', 'neox-sequential', 'llama-tied']) {
    const file = path.join(fixtures, name, 'model.safetensors');
    const { tensors } = decodeSafetensors(file, fs.readFileSync(file));
    const stored = storedTensors(file);
    expect(new Set(stored.map(({ dtype }) => dtype)).size).toBe(1);
    for (const own of tensors)
      expect(readStoredTensor(stored.find((entry) => entry.name === own.name)!), own.name).toEqual(
        own.values,
      );
  }
  const types = ['gpt2', 'neox-sequential', 'llama-tied'].map(
    (name) => storedTensors(path.join(fixtures, name, 'model.safetensors'))[0]!.dtype,
  );
  expect(types).toEqual(['F32', 'F16', 'BF16']);
});

test('the hash is that of config and weights', () => {
  const folder = copyOf('gpt2');
  const before = folderHash(folder);
  expect(before).toMatch(/^[0-9a-f]{64}$/);
  fs.writeFileSync(path.join(folder, 'tokenizer.json'), '{}');
  expect(folderHash(folder)).toBe(before);
  const file = path.join(folder, 'model.safetensors');
  const bytes = fs.readFileSync(file);
  bytes[bytes.length - 1]! ^= 1;
  fs.writeFileSync(file, bytes);
  const changed = folderHash(folder);
  expect(changed).not.toBe(before);
  changeConfig(folder, { n_head: 2 });
  expect(folderHash(folder)).not.toBe(changed);
});

test('what older versions say of a T5 v1.1 is the same model', () => {
  const pairs = { blockSize: 5, queries: 5, inputLength: 7 };
  const before = build(copyOf('t5-gated'), pairs);
  const folder = copyOf('t5-gated');
  const file = path.join(folder, 'config.json');
  const { scale_decoder_outputs: _, ...content } = JSON.parse(fs.readFileSync(file, 'utf8')) as Record<
    string,
    unknown
  >;
  fs.writeFileSync(file, JSON.stringify({ ...content, tie_word_embeddings: false }));
  const model = build(folder, pairs);
  expect(model.parameters.map(({ name }) => name)).toEqual(before.parameters.map(({ name }) => name));
  expect(model.parameters.at(-1)!.name).toBe('lm_head.weight');
});
