import path from 'node:path';
import { z } from 'zod';
import { UserError } from '../../../../data/errors.js';
import { printable } from '../../../../data/printable.js';
import type { Activation } from '../ops/activation.js';
import { folderFiles } from './model-folder.js';

/** Numbers of a model's config. */
export const sizeSchema = z.int().positive().max(1e9);
export const normEpsilonSchema = z.number().min(0).max(1);

/** The `config.json` of a folder, for reading it with messages that name it. */
export interface ConfigReader {
  /** Reads the keys of a schema. Throws a UserError that names the file and the key. */
  read<T>(schema: z.ZodType<T>): T;
  /** What is said of a value that cannot be. */
  refuse(key: string, why: string): UserError;
}

/** @param folder that `config` was read from */
export function configReader(folder: string, config: Readonly<Record<string, unknown>>): ConfigReader {
  const file = path.join(folder, folderFiles.config);
  const refuse = (key: string, why: string): UserError => new UserError(`${file}: ${key}: ${printable(why)}`);
  return {
    read: (schema) => {
      const parsed = schema.safeParse(config);
      if (parsed.success) return parsed.data;
      const [issue] = parsed.error.issues;
      throw refuse(issue!.path.join('.'), issue!.message.replace(/^Invalid input: /, ''));
    },
    refuse,
  };
}

/** Names that Hugging Face has for activations. */
const activations: Readonly<Record<string, Activation>> = {
  gelu: 'gelu',
  gelu_new: 'geluTanh',
  gelu_fast: 'geluTanh',
  gelu_pytorch_tanh: 'geluTanh',
  relu: 'relu',
  silu: 'silu',
  swish: 'silu',
};

/** The activation of a name. Throws a UserError for one that is not there. */
export function activationOf(reader: ConfigReader, key: string, name: string): Activation {
  if (Object.hasOwn(activations, name)) return activations[name]!;
  throw reader.refuse(key, `${name} cannot be computed; known are ${Object.keys(activations).join(', ')}`);
}

const ropeSchema = z.looseObject({
  rope_theta: z.number().positive().optional(),
  rotary_emb_base: z.number().positive().optional(),
  partial_rotary_factor: z.number().min(0).max(1).optional(),
  rotary_pct: z.number().min(0).max(1).optional(),
  rope_scaling: z.looseObject({ rope_type: z.string().optional(), type: z.string().optional() }).nullish(),
  rope_parameters: z
    .looseObject({
      rope_type: z.string().optional(),
      rope_theta: z.number().positive().optional(),
      partial_rotary_factor: z.number().min(0).max(1).optional(),
    })
    .nullish(),
});

/**
 * Base and rotated share of rotary positions: `rope_parameters` as newer versions write them, or keys of their own. Throws a
 * UserError for positions that are scaled for longer texts.
 */
export function rotaryOf(
  reader: ConfigReader,
  defaults: { readonly base: number; readonly share: number },
): { base: number; share: number } {
  const config = reader.read(ropeSchema);
  const { rope_parameters: own, rope_scaling: scaling } = config;
  const type = own?.rope_type ?? scaling?.rope_type ?? scaling?.type ?? 'default';
  if (type !== 'default') {
    throw reader.refuse(
      own?.rope_type === undefined ? 'rope_scaling' : 'rope_parameters',
      `rotary positions of type ${type} cannot be computed, only the default; give a model without scaled positions`,
    );
  }
  return {
    base: own?.rope_theta ?? config.rope_theta ?? config.rotary_emb_base ?? defaults.base,
    share: own?.partial_rotary_factor ?? config.partial_rotary_factor ?? config.rotary_pct ?? defaults.share,
  };
}
