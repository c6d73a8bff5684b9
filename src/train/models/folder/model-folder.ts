import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { z } from 'zod';
import { UserError } from '../../../../data/errors.js';
import { printable } from '../../../../data/printable.js';
import { systemCode, systemMessage } from '../../../store/system-error.js';
import { storedTensors, type StoredTensor } from '../../../store/stored-tensors.js';

/** A model folder as Hugging Face saves it, its tensors left in their files. */
export interface ModelFolder {
  readonly path: string;
  /** Content of `config.json`. */
  readonly config: Readonly<Record<string, unknown>>;
  /** Tensors of all its safetensors files, by name. Throws a UserError when there are none, or a file breaks the format. */
  readonly tensors: () => ReadonlyMap<string, StoredTensor>;
  /** Parameters beside the model, by name: a table of variables that `gradscope export` wrote. */
  readonly variables: () => ReadonlyMap<string, StoredTensor>;
  /** See {@link folderHash}. */
  readonly hash: () => string;
}

/** Names of files in a model folder. */
export const folderFiles = {
  config: 'config.json',
  weights: 'model.safetensors',
  index: 'model.safetensors.index.json',
  /** Parameters of this program that no family has. */
  variables: 'variables.safetensors',
} as const;

/** How to convert weights in Python's own format, which may hold any program. */
const conversion =
  'convert it with transformers: AutoModel.from_pretrained(folder).save_pretrained(folder, safe_serialization=True), with the ' +
  'class of the whole model, such as AutoModelForCausalLM';

/**
 * Opens a model folder. Throws a UserError, one line, for a folder that is missing or without a `config.json` that can be
 * read; its tensors are looked at when they are asked for.
 */
export function openModelFolder(folder: string): ModelFolder {
  const config = readConfig(folder);
  let tensors: ReadonlyMap<string, StoredTensor> | null = null;
  let variables: ReadonlyMap<string, StoredTensor> | null = null;
  let hash: string | null = null;
  return {
    path: folder,
    config,
    tensors: () => (tensors ??= readTensors(folder)),
    variables: () => (variables ??= readVariables(folder)),
    hash: () => (hash ??= folderHash(folder)),
  };
}

function readConfig(folder: string): Readonly<Record<string, unknown>> {
  if (!fs.existsSync(folder)) throw new UserError(`${folder}: no such folder; give the folder of a model`);
  if (!fs.statSync(folder).isDirectory())
    throw new UserError(`${folder}: is no folder; give the folder that holds ${folderFiles.config}`);
  const file = path.join(folder, folderFiles.config);
  const content = readJson(file, 'give a folder that save_pretrained has written');
  const parsed = z.record(z.string(), z.unknown()).safeParse(content);
  if (!parsed.success) throw new UserError(`${file}: expected a map of keys, as save_pretrained writes it`);
  return parsed.data;
}

function readJson(file: string, remedy: string): unknown {
  let text: string;
  try {
    text = fs.readFileSync(file, 'utf8');
  } catch (error) {
    const what = systemCode(error) === 'ENOENT' ? 'is missing' : `cannot be read (${systemMessage(error)})`;
    throw new UserError(`${file}: ${what}; ${remedy}`, { cause: error });
  }
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new UserError(`${file}: not JSON (${printable(systemMessage(error))}); ${remedy}`, {
      cause: error,
    });
  }
}

/** Files of the weights: one, or shards that an index names. Throws a UserError when there are none. */
function weightFiles(folder: string): string[] {
  const single = path.join(folder, folderFiles.weights);
  if (fs.existsSync(single)) return [single];
  const index = path.join(folder, folderFiles.index);
  if (fs.existsSync(index)) {
    const shards = [...new Set(shardsOf(index).values())].map((name) => path.join(folder, name));
    const missing = shards.filter((shard) => !fs.existsSync(shard)).map((shard) => path.basename(shard));
    if (missing.length === 0) return shards;
    throw new UserError(`${folder}: ${missing.join(', ')} of ${folderFiles.index} missing; copy all shards`);
  }
  const pickle = fs.readdirSync(folder).find((name) => /\.(?:bin|pt|pth|ckpt)$/.test(name));
  if (pickle !== undefined) {
    throw new UserError(
      `${path.join(folder, pickle)}: weights in Python's pickle format are not read, because they can run code; ${conversion}`,
    );
  }
  throw new UserError(
    `${folder}: there is no ${folderFiles.weights} and no ${folderFiles.index}; give a folder that save_pretrained has written`,
  );
}

const indexSchema = z.object({
  weight_map: z.record(
    z.string(),
    z.string().regex(/^[^/\\]+\.safetensors$/, 'expected the name of a safetensors file'),
  ),
});

/** The file of each tensor. */
function shardsOf(index: string): ReadonlyMap<string, string> {
  const remedy = 'save the model again';
  const parsed = indexSchema.safeParse(readJson(index, remedy));
  if (parsed.success) return new Map(Object.entries(parsed.data.weight_map));
  const [issue] = parsed.error.issues;
  throw new UserError(
    `${index}: ${printable(issue!.path.join('.'))}: ${printable(issue!.message)}; ${remedy}`,
  );
}

function readTensors(folder: string): ReadonlyMap<string, StoredTensor> {
  const tensors = new Map<string, StoredTensor>();
  for (const file of weightFiles(folder)) {
    for (const tensor of storedTensors(file)) {
      const other = tensors.get(tensor.name);
      if (other !== undefined)
        throw new UserError(
          `${file}: ${tensor.name} is also in ${path.basename(other.file)}; save the model again`,
        );
      tensors.set(tensor.name, tensor);
    }
  }
  const index = path.join(folder, folderFiles.index);
  if (!fs.existsSync(index) || fs.existsSync(path.join(folder, folderFiles.weights))) return tensors;
  const absent = [...shardsOf(index).keys()].filter((name) => !tensors.has(name));
  if (absent.length > 0)
    throw new UserError(
      `${index}: names tensors that its files do not hold: ${absent.join(', ')}; copy all shards`,
    );
  return tensors;
}

function readVariables(folder: string): ReadonlyMap<string, StoredTensor> {
  const file = path.join(folder, folderFiles.variables);
  if (!fs.existsSync(file)) return new Map();
  return new Map(storedTensors(file).map((tensor) => [tensor.name, tensor]));
}

/**
 * SHA-256, in hexadecimal, over the config and the weights of a folder: names and contents of `config.json` and of the files
 * of the weights, read piece by piece. Tokenizer files do not count.
 */
export function folderHash(folder: string): string {
  const weights = weightFiles(folder);
  const single = path.join(folder, folderFiles.weights);
  const index = weights.includes(single) ? [] : [path.join(folder, folderFiles.index)];
  const beside = [path.join(folder, folderFiles.variables)].filter((file) => fs.existsSync(file));
  const files = [path.join(folder, folderFiles.config), ...weights, ...index, ...beside];
  const hash = createHash('sha256');
  for (const file of files.toSorted()) {
    hash.update(`${path.basename(file)}\n${hashOfFile(file)}\n`);
  }
  return hash.digest('hex');
}

/** Bytes of a file that are held while it is hashed. */
const pieceBytes = 1 << 20;

function hashOfFile(file: string): string {
  const hash = createHash('sha256');
  try {
    const fd = fs.openSync(file, 'r');
    try {
      const piece = new Uint8Array(pieceBytes);
      for (let got = fs.readSync(fd, piece); got > 0; got = fs.readSync(fd, piece))
        hash.update(piece.subarray(0, got));
    } finally {
      fs.closeSync(fd);
    }
  } catch (error) {
    throw new UserError(`${file}: cannot be read (${systemMessage(error)})`, { cause: error });
  }
  return hash.digest('hex');
}
