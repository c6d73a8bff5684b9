import fs from 'node:fs';
import { createRequire } from 'node:module';
import * as tf from '@tensorflow/tfjs-core';

/**
 * The one place that looks behind the typings of `@tensorflow/tfjs-node-gpu`: its backend keeps the N-API binding
 * and the mapping from tensors to native handles private, and its generated protocol-buffer classes are untyped.
 */

/** An attribute of a TensorFlow op, as the binding takes it. `type` is one of the `TF_ATTR_*` numbers. */
export interface OpAttribute {
  readonly name: string;
  readonly type: number;
  readonly value: unknown;
}

/** What the binding says of a tensor it made. */
export interface TensorMetadata {
  readonly id: number;
  readonly shape: number[];
  readonly dtype: number;
}

interface NativeBinding {
  readonly TF_Version: string;
  readonly TF_ATTR_STRING: number;
  readonly TF_ATTR_INT: number;
  readonly TF_ATTR_FLOAT: number;
  readonly TF_ATTR_BOOL: number;
  readonly TF_ATTR_TYPE: number;
  readonly TF_ATTR_SHAPE: number;
  loadSavedModel(folder: string, tags: string): number;
  deleteSavedModel(id: number): void;
  runSavedModel(id: number, inputs: number[], inputNames: string, outputNames: string): TensorMetadata[];
}

/** Backend methods through which every native kernel of tfjs issues its ops. */
export interface NativeBackend {
  readonly binding: NativeBinding;
  readonly isUsingGpuDevice: boolean;
  executeSingleOutput(name: string, attributes: OpAttribute[], inputs: tf.TensorInfo[]): tf.Tensor;
  executeMultipleOutputs(
    name: string,
    attributes: OpAttribute[],
    inputs: tf.TensorInfo[],
    outputs: number,
  ): tf.Tensor[];
  write(values: tf.backend_util.BackendValues, shape: number[], dtype: tf.DataType): object;
  readSync(dataId: object): tf.backend_util.BackendValues;
  getInputTensorIds(tensors: readonly tf.TensorInfo[]): number[];
  createOutputTensor(metadata: TensorMetadata): tf.Tensor;
}

/** Numbers of `TF_DataType`. */
export const dataTypeNumber = { float32: 1, int32: 3, bool: 10 } as const;

export type NativeDataType = keyof typeof dataTypeNumber;

export function isNativeDataType(dtype: string): dtype is NativeDataType {
  return Object.hasOwn(dataTypeNumber, dtype);
}

/** The native backend, or null while another one is in use. */
export function nativeBackend(): NativeBackend | null {
  return tf.getBackend() === 'tensorflow' ? (tf.backend() as unknown as NativeBackend) : null;
}

/** A dtype attribute (`T`, `Tindices`, ...) of an op. */
export function typeAttribute(name: string, dtype: NativeDataType): OpAttribute {
  return { name, type: requireNative().binding.TF_ATTR_TYPE, value: dataTypeNumber[dtype] };
}

export function boolAttribute(name: string, value: boolean): OpAttribute {
  return { name, type: requireNative().binding.TF_ATTR_BOOL, value };
}

export function stringAttribute(name: string, value: string): OpAttribute {
  return { name, type: requireNative().binding.TF_ATTR_STRING, value };
}

export function shapeAttribute(name: string, value: readonly number[]): OpAttribute {
  return { name, type: requireNative().binding.TF_ATTR_SHAPE, value };
}

function requireNative(): NativeBackend {
  const backend = nativeBackend();
  if (backend === null) throw new Error(`a native TensorFlow op was asked of backend ${tf.getBackend()}`);
  return backend;
}

const require = createRequire(import.meta.url);

/** Loads the JavaScript engine, and with it tfjs's table of gradients, which tfjs-core alone leaves empty. */
export function loadTfjsPackage(): void {
  require('@tensorflow/tfjs');
}

/**
 * Loads the native engine and makes it tfjs's current backend. Throws what the dynamic loader throws when the
 * library is missing or broken.
 */
export function loadNativePackage(): void {
  // tfjs-node 4.22 calls util.isNullOrUndefined, which Node 23 removed (tensorflow/tfjs#8425).
  const util = require('node:util') as { isNullOrUndefined?: (value: unknown) => boolean };
  util.isNullOrUndefined ??= (value) => value === null || value === undefined;
  withoutNativeLog(() => require('@tensorflow/tfjs-node-gpu'));
}

/**
 * Runs `load` with the process's standard error pointing nowhere: as its library loads, TensorFlow prints two lines
 * about oneDNN that no log level silences. GRADSCOPE_NATIVE_LOG=1 shows them. They are also shown where the descriptor
 * cannot be put back as it was, see {@link reopenStandardError}.
 */
function withoutNativeLog(load: () => void): void {
  if (process.env['GRADSCOPE_NATIVE_LOG'] === '1') return load();
  const saved = reopenStandardError();
  if (saved === null) return load();
  fs.closeSync(standardError);
  // The lowest free descriptor is the one just closed.
  fs.openSync('/dev/null', 'w');
  try {
    load();
  } finally {
    restoreStandardError(saved);
  }
}

const standardError = 2;

interface Reopened {
  readonly descriptor: number;
  readonly flags: number;
}

/**
 * Another way to what standard error is. Node cannot duplicate a descriptor, only open its file again, and then the two
 * have places of their own in it: in a file that others write too (`> log 2>&1`) they would overwrite each other. So
 * null for a file, unless every write goes to its end (`>> log`), for a pipe without a reader, whose opening would wait
 * for one, for a socket, and where there is no /proc.
 */
function reopenStandardError(): Reopened | null {
  const { O_WRONLY, O_APPEND, O_NONBLOCK, O_NOCTTY } = fs.constants;
  try {
    const found = fs.fstatSync(standardError);
    if (found.isFile() && !isAppending()) return null;
    const own = found.isFIFO() ? O_NONBLOCK : found.isFile() ? O_APPEND : O_NOCTTY;
    const flags = O_WRONLY | own;
    return { descriptor: fs.openSync(`/proc/self/fd/${standardError}`, flags), flags };
  } catch {
    return null;
  }
}

function isAppending(): boolean {
  const flags = /^flags:\s*([0-7]+)/m.exec(
    fs.readFileSync(`/proc/self/fdinfo/${standardError}`, 'utf8'),
  )?.[1];
  return flags !== undefined && (Number.parseInt(flags, 8) & fs.constants.O_APPEND) !== 0;
}

function restoreStandardError({ descriptor, flags }: Reopened): void {
  fs.closeSync(standardError);
  try {
    fs.openSync(`/proc/self/fd/${descriptor}`, flags);
  } catch {
    // The reader of a pipe went away meanwhile: nobody misses what is written.
    fs.openSync('/dev/null', 'w');
  }
  fs.closeSync(descriptor);
}

/** A message class generated by protoc for the TensorFlow protocol buffers. */
interface Message {
  serializeBinary(): Uint8Array;
}
interface MessageMap {
  set(key: string, value: Message): void;
}
interface ShapeMessage extends Message {
  addDim(dim: Message): void;
}
interface DimMessage extends Message {
  setSize(size: number): void;
}
interface TensorMessage extends Message {
  setDtype(type: number): void;
  setTensorShape(shape: ShapeMessage): void;
  setTensorContent(content: Uint8Array): void;
}
interface ListMessage extends Message {
  setIList(values: number[]): void;
  setFList(values: number[]): void;
  setBList(values: boolean[]): void;
}
interface AttributeMessage extends Message {
  setS(value: Uint8Array): void;
  setI(value: number): void;
  setF(value: number): void;
  setB(value: boolean): void;
  setType(value: number): void;
  setShape(value: ShapeMessage): void;
  setTensor(value: TensorMessage): void;
  setList(value: ListMessage): void;
}
export interface NodeMessage extends Message {
  setName(name: string): void;
  setOp(op: string): void;
  addInput(input: string): void;
  getAttrMap(): MessageMap;
}
interface VersionMessage extends Message {
  setProducer(version: number): void;
}
interface GraphMessage extends Message {
  addNode(node: NodeMessage): void;
  setVersions(versions: VersionMessage): void;
}
interface MetaInfoMessage extends Message {
  addTags(tag: string): void;
}
interface MetaGraphMessage extends Message {
  setMetaInfoDef(info: MetaInfoMessage): void;
  setGraphDef(graph: GraphMessage): void;
}
interface SavedModelMessage extends Message {
  setSavedModelSchemaVersion(version: number): void;
  addMetaGraphs(graph: MetaGraphMessage): void;
}

/** Classes of TensorFlow's protocol buffers that a saved graph needs. */
export interface GraphMessages {
  SavedModel: new () => SavedModelMessage;
  MetaGraphDef: { new (): MetaGraphMessage; MetaInfoDef: new () => MetaInfoMessage };
  GraphDef: new () => GraphMessage;
  VersionDef: new () => VersionMessage;
  NodeDef: new () => NodeMessage;
  AttrValue: { new (): AttributeMessage; ListValue: new () => ListMessage };
  Tensor: new () => TensorMessage;
  TensorShape: { new (): ShapeMessage; Dim: new () => DimMessage };
}

export function graphMessages(): GraphMessages {
  return require('@tensorflow/tfjs-node-gpu/dist/proto/api_pb.js') as GraphMessages;
}
