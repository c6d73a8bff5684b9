import { InvalidArgumentError, Option } from 'commander';
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

/** A range of more seeds than this is a slip. */
const mostSeeds = 10_000;

/** `3`, `0..7` or `0,2,5..9` as a list of seeds. */
export function parseSeeds(text: string): number[] {
  const seeds = text.split(',').flatMap((part) => {
    const match = /^(\d+)(?:\.\.(\d+))?$/.exec(part.trim());
    if (match === null) throw new InvalidArgumentError('expected seeds such as 3, 0..7 or 0,2,5..9');
    const [first, last] = [Number(match[1]), Number(match[2] ?? match[1])];
    if (last < first) throw new InvalidArgumentError(`${first}..${last} runs backwards`);
    if (last > Number.MAX_SAFE_INTEGER)
      throw new InvalidArgumentError(`seeds go up to ${Number.MAX_SAFE_INTEGER}`);
    if (last - first >= mostSeeds)
      throw new InvalidArgumentError(`${first}..${last} are more than ${mostSeeds} seeds`);
    return Array.from({ length: last - first + 1 }, (_, i) => first + i);
  });
  return [...new Set(seeds)];
}
