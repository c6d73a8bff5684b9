import { z } from 'zod';
import type { EnginePackage } from './layout.js';
import type { SetupOptions } from './options.js';
import type { SetupSystem } from './system.js';

const TIMEOUT_MS = 120_000;

/**
 * Loads only the binding and its library. The answer is marked because the library may print lines of its own.
 */
const LOAD_BINDING = `
const binding = require(process.argv[1]);
console.log('loaded ' + JSON.stringify({ version: binding.TF_Version }));`;

/**
 * Loads the whole package and multiplies two matrices. Node 23 removed two functions of \`util\` that the package
 * calls.
 */
const LOAD_AND_MULTIPLY = `
const util = require('node:util');
util.isArray ??= Array.isArray;
util.isNullOrUndefined ??= (value) => value === null || value === undefined;
const tf = require(process.argv[2]);
const product = tf.matMul(tf.tensor2d([[1, 2], [3, 4]]), tf.tensor2d([[5, 6], [7, 8]]));
const values = Array.from(product.dataSync()).join();
if (tf.getBackend() !== 'tensorflow') throw new Error('TensorFlow backend not in use: ' + tf.getBackend());
if (values !== '19,22,43,50') throw new Error('wrong product: ' + values);
const binding = require(process.argv[1]);
console.log('loaded ' + JSON.stringify({ version: binding.TF_Version }));`;

const answer = z.object({ version: z.string() });

/** What came of loading the binding: the version of its TensorFlow, or why it does not load. */
export type LoadResult =
  { readonly loads: true; readonly version: string } | { readonly loads: false; readonly why: string };

/**
 * Loads the binding in a child process, because a broken library may end the process that loads it.
 * With `options.check` the whole package is loaded and a product computed.
 */
export async function tryLoading(
  engine: EnginePackage,
  options: SetupOptions,
  system: SetupSystem,
): Promise<LoadResult> {
  const script = options.check ? LOAD_AND_MULTIPLY : LOAD_BINDING;
  const result = await system.run(system.node.executable, ['-e', script, engine.binding, engine.folder], {
    cwd: options.projectRoot,
    environment: { TF_CPP_MIN_LOG_LEVEL: '2', NODE_OPTIONS: undefined },
    timeoutMs: TIMEOUT_MS,
  });
  const line = result.stdout.split('\n').find((text) => text.startsWith('loaded '));
  if (result.code === 0 && line !== undefined) {
    const { version } = answer.parse(JSON.parse(line.slice('loaded '.length)));
    return { loads: true, version };
  }
  if (result.aborted) return { loads: false, why: 'loading it took more than two minutes' };
  const message = result.stderr.split('\n').find((text) => /^\w*Error: /.test(text));
  return {
    loads: false,
    why: message ?? `it ended the process that loaded it, exit code ${result.code ?? 'none'}`,
  };
}
