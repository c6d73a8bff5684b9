import * as tf from '@tensorflow/tfjs-core';

/**
 * Kernels that tfjs's WASM backend lacks or has only slowly, so that every experiment runs on it too:
 * - `BatchMatMul` with a transposed operand runs at 1 to 3 GFLOP/s, against 29 with the operand transposed first;
 * - `UnsortedSegmentSum` (gradients of embeddings) does not exist;
 * - `Sum` adds up one by one in float32: 4 million equal squares come out 3 % wrong.
 */
export function supplyWasmKernels(): void {
  const matMul = tf.getKernel(tf.BatchMatMul, 'wasm').kernelFunc;
  const transpose = tf.getKernel(tf.Transpose, 'wasm').kernelFunc;
  const transposeLast = (x: tf.TensorInfo, backend: object): tf.TensorInfo => {
    const rank = x.shape.length;
    const perm = Array.from({ length: rank }, (_, axis) => (axis < rank - 2 ? axis : 2 * rank - 3 - axis));
    return transpose({ inputs: { x }, backend, attrs: { perm } }) as tf.TensorInfo;
  };
  replaceKernel(tf.BatchMatMul, ({ inputs, backend, attrs }) => {
    const { a, b } = inputs as { a: tf.TensorInfo; b: tf.TensorInfo };
    const { transposeA, transposeB } = attrs as { transposeA: boolean; transposeB: boolean };
    const left = transposeA ? transposeLast(a, backend) : a;
    const right = transposeB ? transposeLast(b, backend) : b;
    const product = matMul({
      inputs: { a: left, b: right },
      backend,
      attrs: { transposeA: false, transposeB: false },
    });
    if (transposeA) (backend as HostBackend).disposeData(left.dataId);
    if (transposeB) (backend as HostBackend).disposeData(right.dataId);
    return product;
  });
  replaceKernel(tf.UnsortedSegmentSum, ({ inputs, backend, attrs }) => {
    const { x, segmentIds } = inputs as { x: tf.TensorInfo; segmentIds: tf.TensorInfo };
    const { numSegments } = attrs as { numSegments: number };
    return segmentSum(backend as HostBackend, x, segmentIds, numSegments);
  });
  const sum = tf.getKernel(tf.Sum, 'wasm').kernelFunc;
  replaceKernel(tf.Sum, (request) => {
    const { x } = request.inputs as { x: tf.TensorInfo };
    const { axis, keepDims } = request.attrs as { axis: number | number[]; keepDims: boolean };
    const long = longReduction(x, axis);
    return long === null ? sum(request) : longSum(request.backend as HostBackend, x, long, keepDims);
  });
}

/** Terms from which on a sum is taken in float64. */
const longFrom = 1024;

/** Number of trailing axes that are summed, where those are all and they hold many float32; else null. */
function longReduction(x: tf.TensorInfo, axis: number | number[]): number | null {
  const axes = tf.util.parseAxisParam(axis, x.shape).toSorted((a, b) => a - b);
  const first = x.shape.length - axes.length;
  const terms = x.shape.slice(first).reduce((product, size) => product * size, 1);
  const trailing = axes.every((own, i) => own === first + i);
  return x.dtype === 'float32' && trailing && terms >= longFrom ? axes.length : null;
}

/** Sums over the last `axes` axes, accumulated in float64. */
function longSum(backend: HostBackend, x: tf.TensorInfo, axes: number, keepDims: boolean): tf.TensorInfo {
  const values = backend.readSync(x.dataId);
  const kept = x.shape.slice(0, x.shape.length - axes);
  const sums = new Float32Array(kept.reduce((product, size) => product * size, 1));
  const terms = values.length / sums.length;
  for (let i = 0; i < sums.length; i++) {
    let sum = 0;
    for (let at = i * terms; at < (i + 1) * terms; at++) sum += values[at]!;
    sums[i] = sum;
  }
  const shape = keepDims ? [...kept, ...new Array<number>(axes).fill(1)] : kept;
  return { dataId: backend.write(sums, shape, 'float32'), shape, dtype: 'float32' };
}

/** What a backend whose tensors live in host memory offers. */
interface HostBackend {
  readSync(dataId: object): Float32Array | Int32Array;
  write(values: Float32Array, shape: number[], dtype: 'float32'): object;
  disposeData(dataId: object): boolean;
}

/** Sums the slices of `x` `[n, ...]` that share a segment; ids outside `[0, segments)` are dropped, as natively. */
function segmentSum(
  backend: HostBackend,
  x: tf.TensorInfo,
  ids: tf.TensorInfo,
  segments: number,
): tf.TensorInfo {
  const values = backend.readSync(x.dataId);
  const segmentOf = backend.readSync(ids.dataId);
  const shape = [segments, ...x.shape.slice(ids.shape.length)];
  const width = values.length / Math.max(1, segmentOf.length);
  const sums = new Float32Array(shape.reduce((product, size) => product * size, 1));
  for (let row = 0; row < segmentOf.length; row++) {
    const segment = segmentOf[row]!;
    if (segment < 0 || segment >= segments) continue;
    const target = segment * width;
    const source = row * width;
    for (let i = 0; i < width; i++) sums[target + i]! += values[source + i]!;
  }
  return { dataId: backend.write(sums, shape, 'float32'), shape, dtype: 'float32' };
}

function replaceKernel(kernelName: string, kernelFunc: tf.KernelFunc): void {
  if (tf.getKernel(kernelName, 'wasm') !== undefined) tf.unregisterKernel(kernelName, 'wasm');
  tf.registerKernel({ kernelName, backendName: 'wasm', kernelFunc });
}
