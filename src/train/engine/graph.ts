import { Buffer } from 'node:buffer';
import type * as tf from '@tensorflow/tfjs-core';
import {
  dataTypeNumber,
  graphMessages,
  isNativeDataType,
  nativeBackend,
  type NodeMessage,
  type OpAttribute,
} from './tensorflow-binding.js';

/** Tag under which a graph is written and loaded. */
export const graphTag = 'serve';

/**
 * Builds a TensorFlow graph node by node and serialises it as a SavedModel, the one form in which the engine's
 * binding takes a graph.
 */
export class GraphBuilder {
  private readonly messages = graphMessages();
  private readonly nodes: NodeMessage[] = [];

  get size(): number {
    return this.nodes.length;
  }

  /** A value fed at every run; returns its reference. */
  placeholder(dtype: tf.DataType, shape: readonly number[]): string {
    const node = this.node('Placeholder', []);
    node.getAttrMap().set('dtype', this.typeValue(dtype));
    const value = new this.messages.AttrValue();
    value.setShape(this.shape(shape));
    node.getAttrMap().set('shape', value);
    return this.reference(0);
  }

  constant(dtype: tf.DataType, shape: readonly number[], values: tf.backend_util.BackendValues): string {
    const tensor = new this.messages.Tensor();
    tensor.setDtype(typeNumber(dtype));
    tensor.setTensorShape(this.shape(shape));
    tensor.setTensorContent(bytesOf(values, dtype));
    const value = new this.messages.AttrValue();
    value.setTensor(tensor);
    const node = this.node('Const', []);
    node.getAttrMap().set('dtype', this.typeValue(dtype));
    node.getAttrMap().set('value', value);
    return this.reference(0);
  }

  /** Adds an op; returns a function from output number to reference. */
  op(
    name: string,
    attributes: readonly OpAttribute[],
    inputs: readonly string[],
  ): (output: number) => string {
    const node = this.node(name, inputs);
    for (const attribute of attributes) node.getAttrMap().set(attribute.name, this.attribute(attribute));
    const index = this.nodes.length - 1;
    return (output) => referenceTo(index, output);
  }

  identity(dtype: tf.DataType, input: string): string {
    const node = this.node('Identity', [input]);
    node.getAttrMap().set('T', this.typeValue(dtype));
    return this.reference(0);
  }

  serialize(): Uint8Array {
    const { SavedModel, MetaGraphDef, GraphDef, VersionDef } = this.messages;
    const versions = new VersionDef();
    // Any producer version after the ops used here were frozen will do; TF 2.9 to 2.21 accept this one.
    versions.setProducer(1087);
    const graph = new GraphDef();
    graph.setVersions(versions);
    for (const node of this.nodes) graph.addNode(node);
    const info = new MetaGraphDef.MetaInfoDef();
    info.addTags(graphTag);
    const meta = new MetaGraphDef();
    meta.setMetaInfoDef(info);
    meta.setGraphDef(graph);
    const model = new SavedModel();
    model.setSavedModelSchemaVersion(1);
    model.addMetaGraphs(meta);
    return model.serializeBinary();
  }

  private node(op: string, inputs: readonly string[]): NodeMessage {
    const node = new this.messages.NodeDef();
    node.setName(`n${this.nodes.length}`);
    node.setOp(op);
    for (const input of inputs) node.addInput(input);
    this.nodes.push(node);
    return node;
  }

  private reference(output: number): string {
    return referenceTo(this.nodes.length - 1, output);
  }

  private shape(sizes: readonly number[]) {
    const shape = new this.messages.TensorShape();
    for (const size of sizes) {
      const dim = new this.messages.TensorShape.Dim();
      dim.setSize(size);
      shape.addDim(dim);
    }
    return shape;
  }

  private typeValue(dtype: tf.DataType) {
    const value = new this.messages.AttrValue();
    value.setType(typeNumber(dtype));
    return value;
  }

  private attribute({ name, type, value }: OpAttribute) {
    const binding = nativeBackend()!.binding;
    const message = new this.messages.AttrValue();
    if (type === binding.TF_ATTR_TYPE && typeof value === 'number') message.setType(value);
    else if (type === binding.TF_ATTR_BOOL && typeof value === 'boolean') message.setB(value);
    else if (type === binding.TF_ATTR_INT && typeof value === 'number') message.setI(value);
    else if (type === binding.TF_ATTR_FLOAT && typeof value === 'number') message.setF(value);
    else if (type === binding.TF_ATTR_STRING && typeof value === 'string') message.setS(Buffer.from(value));
    else if (type === binding.TF_ATTR_SHAPE && isNumbers(value)) message.setShape(this.shape(value));
    else if (type === binding.TF_ATTR_INT && isNumbers(value)) {
      const list = new this.messages.AttrValue.ListValue();
      list.setIList(value);
      message.setList(list);
    } else throw new Error(`attribute ${name} of type ${type} cannot be written into a graph`);
    return message;
  }
}

function referenceTo(node: number, output: number): string {
  return `n${node}:${output}`;
}

function typeNumber(dtype: tf.DataType): number {
  if (!isNativeDataType(dtype)) throw new Error(`a graph holds no tensors of type ${dtype}`);
  return dataTypeNumber[dtype];
}

function isNumbers(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'number');
}

function bytesOf(values: tf.backend_util.BackendValues, dtype: tf.DataType): Uint8Array {
  if (dtype === 'bool') return Uint8Array.from(values as Uint8Array);
  const typed =
    dtype === 'int32'
      ? Int32Array.from(values as ArrayLike<number>)
      : Float32Array.from(values as ArrayLike<number>);
  return new Uint8Array(typed.buffer);
}
