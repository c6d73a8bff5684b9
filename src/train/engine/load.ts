import * as tf from '@tensorflow/tfjs-core';
import { UserError } from '../../../data/errors.js';
import { availableProcessors } from '../../machine/processors.js';
import type { EngineName } from './names.js';
import { loadNativePackage, loadTfjsPackage, nativeBackend } from './tensorflow-binding.js';

/**
 * Threads of the native engine. `intraOp` share one op's work, `interOp` run independent ops side by side. Models
 * whose ops take microseconds gain from the second only, large matrix products from the first.
 */
export interface Threads {
  readonly intraOp: number;
  readonly interOp: number;
}

/** The engine in use, for reports and provenance. */
export interface Engine {
  readonly name: EngineName;
  /** Version of the library that computes, e.g. `TensorFlow 2.21.0` or `tfjs-wasm 4.22.0`. */
  readonly version: string;
  readonly device: 'cpu' | 'gpu';
  readonly threads: Threads;
  /** One line for people when the engine is not the one that was hoped for, else null. */
  readonly notice: string | null;
}

export interface EngineRequest {
  /** `auto` takes the native engine and falls back to WASM. */
  readonly engine: EngineName | 'auto';
  readonly threads?: Threads;
}

/** Widest model whose ops are too small to share one op's work between threads. */
const narrow = 128;

/** Threads that suit a model of a width: side by side for small ops, together for large ones. */
export function defaultThreads({ width }: { readonly width: number }): Threads {
  const cores = availableProcessors();
  return width < narrow ? { intraOp: 1, interOp: cores } : { intraOp: cores, interOp: cores };
}

let loaded: Engine | null = null;

/**
 * Loads an engine and makes it current; a process has one engine for its whole life. Thread counts are read by
 * TensorFlow when its library loads, so they count only in the first call.
 * Throws a UserError when the engine asked for cannot load, or when another one is loaded already.
 */
export async function loadEngine(request: EngineRequest): Promise<Engine> {
  if (loaded !== null) {
    if (request.engine !== 'auto' && request.engine !== loaded.name) {
      throw new UserError(
        `engine ${request.engine} was asked for, but this process already runs ${loaded.name}`,
      );
    }
    return loaded;
  }
  loaded = await load(request);
  return loaded;
}

async function load({ engine, threads }: EngineRequest): Promise<Engine> {
  // Quiets tfjs's advertisement of its Node package, and its per-op NaN checks.
  tf.env().set('PROD', true);
  if (engine === 'native' || engine === 'auto') {
    const failure = tryNative(threads);
    if (failure === null) return describeNative(threads);
    if (engine === 'native') {
      throw new UserError(
        `the native engine cannot load (${failure}); run "gradscope setup", or use --engine wasm`,
      );
    }
    return loadWasm(
      `native TensorFlow is not available (${failure}): using WASM, about 15 times slower on large ` +
        `products; run "gradscope setup" to get it`,
    );
  }
  return engine === 'wasm' ? loadWasm(null) : loadCpu();
}

/** Loads the native library; returns null, or the reason in one line. */
function tryNative(threads: Threads | undefined): string | null {
  process.env['TF_CPP_MIN_LOG_LEVEL'] ??= '2';
  if (threads !== undefined) {
    process.env['TF_NUM_INTRAOP_THREADS'] ??= String(threads.intraOp);
    process.env['TF_NUM_INTEROP_THREADS'] ??= String(threads.interOp);
  }
  try {
    loadNativePackage();
    return null;
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    return message.split('\n')[0]!.trim();
  }
}

function describeNative(threads: Threads | undefined): Engine {
  const backend = nativeBackend()!;
  return {
    name: 'native',
    version: `TensorFlow ${backend.binding.TF_Version}`,
    device: backend.isUsingGpuDevice ? 'gpu' : 'cpu',
    threads: {
      intraOp: Number(process.env['TF_NUM_INTRAOP_THREADS'] ?? threads?.intraOp ?? 0),
      interOp: Number(process.env['TF_NUM_INTEROP_THREADS'] ?? threads?.interOp ?? 0),
    },
    notice: null,
  };
}

const oneThread: Threads = { intraOp: 1, interOp: 1 };

async function loadWasm(notice: string | null): Promise<Engine> {
  loadTfjsPackage();
  const { version_wasm } = await import('@tensorflow/tfjs-backend-wasm');
  const { supplyWasmKernels } = await import('./wasm-kernels.js');
  await setBackend('wasm');
  supplyWasmKernels();
  return { name: 'wasm', version: `tfjs-wasm ${version_wasm}`, device: 'cpu', threads: oneThread, notice };
}

async function loadCpu(): Promise<Engine> {
  loadTfjsPackage();
  await setBackend('cpu');
  return {
    name: 'cpu',
    version: `tfjs-cpu ${tf.version_core}`,
    device: 'cpu',
    threads: oneThread,
    notice: null,
  };
}

async function setBackend(name: string): Promise<void> {
  if (!(await tf.setBackend(name))) throw new UserError(`engine ${name} cannot start on this machine`);
}
