import { InvalidArgumentError, Option } from 'commander';
import { UserError } from '../../data/errors.js';
import { parseSeedRange } from '../config/seeds.js';
import { engineNames } from '../train/engine/names.js';

/** `--engine`, shared by every command that computes with tensors. */
export function engineOption(): Option {
  return new Option('--engine <name>', 'native TensorFlow, its WASM build, or plain JavaScript')
    .choices(['auto', ...engineNames])
    .env('GRADSCOPE_ENGINE')
    .default('auto');
}

/** `--threads`: threads inside an op and between ops. */
export function threadsOption(): Option {
  return new Option(
    '--threads <intra,inter>',
    'threads inside an op and between ops (default: by model size)',
  ).argParser((text: string) => {
    const match = /^(\d+),(\d+)$/.exec(text);
    if (match === null) throw new InvalidArgumentError('expected two numbers, such as 1,2');
    return { intraOp: Number(match[1]), interOp: Number(match[2]) };
  });
}

/** `3`, `0..7` or `0,2,5..9` as a list of seeds. */
export function parseSeeds(text: string): number[] {
  try {
    return parseSeedRange(text);
  } catch (error) {
    if (error instanceof UserError) throw new InvalidArgumentError(error.message);
    throw error;
  }
}

/** A positive whole number as the value of an option. */
export function positive(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 1)
    throw new InvalidArgumentError('expected a positive whole number');
  return value;
}
