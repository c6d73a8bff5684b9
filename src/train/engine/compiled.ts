import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { UserError } from '../../../data/errors.js';
import { systemMessage } from '../../store/file-system.js';
import { GraphBuilder, graphTag } from './graph.js';
import {
  isNativeDataType,
  nativeBackend,
  typeAttribute,
  type NativeBackend,
  type OpAttribute,
} from './tensorflow-binding.js';

/** A pure function of tensors. The caller owns (and disposes of) the tensors it returns. */
export type TensorFunction = (inputs: readonly tf.Tensor[]) => tf.Tensor[];

/** A {@link TensorFunction} that may hold native graphs. */
export interface CompiledFunction {
  (inputs: readonly tf.Tensor[]): tf.Tensor[];
  /** Frees the graphs it holds; the function can still be called and will capture anew. */
  dispose(): void;
}

/**
 * Makes a function of tensors cheap to repeat. On native TensorFlow (CPU) the first call with given input shapes
 * runs `compute` once while every op it issues is recorded as a node of a TensorFlow graph; later calls run the
 * graph, without JavaScript between the ops and with independent ops in parallel. On other engines, and on a GPU
 * (whose tensors a graph would copy to the host and back), `compute` simply runs.
 *
 * What `compute` does must follow from its inputs alone: it may not read values back, and tensors that existed
 * before the call must be among the inputs. Both mistakes throw. Values drawn inside (`tf.randomNormal`) would be
 * frozen into the graph: pass them in.
 */
export function compile(name: string, compute: TensorFunction): CompiledFunction {
  const backend = nativeBackend();
  if (backend === null || backend.isUsingGpuDevice) {
    return Object.assign((inputs: readonly tf.Tensor[]) => tf.tidy(() => compute(inputs)), {
      dispose: () => {},
    });
  }
  const graphs = new Map<string, LoadedGraph>();
  const call = (inputs: readonly tf.Tensor[]): tf.Tensor[] => {
    const signature = inputs.map((input) => `${input.dtype}[${input.shape.join()}]`).join(' ');
    let graph = graphs.get(signature);
    if (graph === undefined) {
      graph = load(backend, capture(backend, name, compute, inputs));
      graphs.set(signature, graph);
    }
    return run(backend, graph, inputs);
  };
  const dispose = (): void => {
    for (const graph of graphs.values()) backend.binding.deleteSavedModel(graph.id);
    graphs.clear();
  };
  return Object.assign(call, { dispose });
}

interface LoadedGraph {
  readonly id: number;
  readonly inputNames: string;
  readonly outputNames: string;
}

interface CapturedGraph {
  readonly bytes: Uint8Array;
  readonly inputNames: string;
  readonly outputNames: string;
}

function run(backend: NativeBackend, graph: LoadedGraph, inputs: readonly tf.Tensor[]): tf.Tensor[] {
  return backend.binding
    .runSavedModel(graph.id, backend.getInputTensorIds(inputs), graph.inputNames, graph.outputNames)
    .map((metadata) => backend.createOutputTensor(metadata));
}

function load(backend: NativeBackend, { bytes, inputNames, outputNames }: CapturedGraph): LoadedGraph {
  return withTemporaryFile(bytes, (folder) => ({
    id: backend.binding.loadSavedModel(folder, graphTag),
    inputNames,
    outputNames,
  }));
}

/**
 * TensorFlow takes graphs from files only. Throws a UserError when there is no place for one, so that whoever begins
 * something long can know before.
 */
export function requireTemporaryFolder(): void {
  if (nativeBackend()?.isUsingGpuDevice === false) withTemporaryFile(new Uint8Array(2 ** 16), () => null);
}

/** Writes `saved_model.pb` into a folder that is there while `use` runs. */
function withTemporaryFile<T>(bytes: Uint8Array, use: (folder: string) => T): T {
  let folder: string | null = null;
  try {
    try {
      folder = fs.mkdtempSync(path.join(os.tmpdir(), 'gradscope-graph-'));
      fs.writeFileSync(path.join(folder, 'saved_model.pb'), bytes);
    } catch (error) {
      throw new UserError(
        `${os.tmpdir()}: TensorFlow's graphs cannot be written there (${systemMessage(error)}); ` +
          'free space there, or name another folder in TMPDIR',
        { cause: error },
      );
    }
    return use(folder);
  } finally {
    if (folder !== null) fs.rmSync(folder, { recursive: true, force: true });
  }
}

/** Runs `compute` once and returns the graph of the ops it issued; the tensors it made are disposed of. */
function capture(
  backend: NativeBackend,
  name: string,
  compute: TensorFunction,
  inputs: readonly tf.Tensor[],
): CapturedGraph {
  const graph = new GraphBuilder();
  const references = new Map<object, string>();
  const written = new Set<object>();
  const inputNames = inputs.map((input) => {
    const reference = graph.placeholder(input.dtype, input.shape);
    references.set(input.dataId, reference);
    return reference;
  });

  const executeMultipleOutputs = backend.executeMultipleOutputs.bind(backend);
  const write = backend.write.bind(backend);
  const readSync = backend.readSync.bind(backend);

  const referenceOf = (tensor: tf.TensorInfo): string => {
    const known = references.get(tensor.dataId);
    if (known !== undefined) return known;
    if (!written.has(tensor.dataId)) {
      throw new Error(
        `compiled function ${name} uses a tensor [${tensor.shape.join()}] that is not one of its inputs`,
      );
    }
    const values = readSync(tensor.dataId);
    const reference = graph.constant(tensor.dtype, tensor.shape, values);
    references.set(tensor.dataId, reference);
    return reference;
  };

  const record = (
    op: string,
    attributes: OpAttribute[],
    operands: tf.TensorInfo[],
    count: number,
  ): tf.Tensor[] => {
    const outputs = executeMultipleOutputs(op, attributes, operands, count);
    const reference = graph.op(op, withTypes(op, attributes, operands), operands.map(referenceOf));
    outputs.forEach((output, index) => references.set(output.dataId, reference(index)));
    return outputs;
  };

  backend.executeMultipleOutputs = record;
  backend.executeSingleOutput = (op, attributes, operands) => record(op, attributes, operands, 1)[0]!;
  backend.write = (values, shape, dtype) => {
    const dataId = write(values, shape, dtype);
    written.add(dataId);
    return dataId;
  };
  backend.readSync = () => {
    throw new Error(`compiled function ${name} reads a tensor's values; compute with tensors instead`);
  };
  try {
    const outputNames = tf.tidy(() => {
      const fetched = new Set<string>(inputNames);
      const outputs = compute(inputs);
      const names = outputs.map((output) => {
        let reference = referenceOf(output);
        // A graph cannot return what it is fed, nor one value twice.
        if (fetched.has(reference)) reference = graph.identity(output.dtype, reference);
        fetched.add(reference);
        return reference;
      });
      // Outputs may have been kept beyond the scope they were made in.
      for (const output of outputs) if (!inputs.includes(output)) output.dispose();
      return names;
    });
    return { bytes: graph.serialize(), inputNames: inputNames.join(','), outputNames: outputNames.join(',') };
  } finally {
    // The originals are methods of the class; what was assigned here hid them.
    for (const method of ['executeSingleOutput', 'executeMultipleOutputs', 'write', 'readSync']) {
      Reflect.deleteProperty(backend, method);
    }
  }
}

/**
 * tfjs leaves the types of `ExpandDims` to the eager runtime, which infers them from the inputs; a graph wants them
 * written out.
 */
function withTypes(
  op: string,
  attributes: readonly OpAttribute[],
  operands: readonly tf.TensorInfo[],
): readonly OpAttribute[] {
  const dtype = operands[0]?.dtype;
  if (op !== 'ExpandDims' || attributes.length > 0 || dtype === undefined || !isNativeDataType(dtype))
    return attributes;
  return [typeAttribute('T', dtype), typeAttribute('Tdim', 'int32')];
}
