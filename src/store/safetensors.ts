import { brokenTensors, headerLength, parseTensorHeader, prefixBytes } from './safetensors-header.js';
import { decodeNumbers, isReadableType } from './tensor-values.js';

/** A named float32 tensor. */
export interface NamedTensor {
  readonly name: string;
  readonly shape: readonly number[];
  /** Row-major. */
  readonly values: Float32Array;
}

/** Content of a safetensors file. */
export interface TensorFile {
  readonly tensors: readonly NamedTensor[];
  readonly metadata: Readonly<Record<string, string>>;
}

/**
 * Encodes tensors in the safetensors format: header length as a little-endian uint64, header in JSON padded with
 * spaces to a multiple of 8 (so that the data can be viewed in place), then the float32 data.
 */
export function encodeSafetensors({ tensors, metadata }: TensorFile): Uint8Array[] {
  const header: Record<string, unknown> = {};
  if (Object.keys(metadata).length > 0) header['__metadata__'] = metadata;
  let end = 0;
  for (const { name, shape, values } of tensors) {
    if (Object.hasOwn(header, name)) throw new Error(`two tensors are named ${name}`);
    header[name] = { dtype: 'F32', shape, data_offsets: [end, end + values.byteLength] };
    end += values.byteLength;
  }
  const json = JSON.stringify(header);
  const text = new TextEncoder().encode(json.padEnd(json.length + ((8 - (Buffer.byteLength(json) % 8)) % 8)));
  const length = new Uint8Array(8);
  new DataView(length.buffer).setBigUint64(0, BigInt(text.length), true);
  return [
    length,
    text,
    ...tensors.map(({ values }) => new Uint8Array(values.buffer, values.byteOffset, values.byteLength)),
  ];
}

/**
 * Decodes a safetensors file of F32, F16 and BF16 tensors, all to float32.
 * Throws a UserError naming the file for a header that is no JSON or larger than the file, for offsets outside the
 * data, overlapping or with holes, and for sizes that do not fit shape and type.
 */
export function decodeSafetensors(file: string, bytes: Uint8Array): TensorFile {
  const dataStart = prefixBytes + headerLength(file, bytes, bytes.byteLength);
  const text = new TextDecoder().decode(bytes.subarray(prefixBytes, dataStart));
  const { entries, metadata } = parseTensorHeader(file, text, bytes.byteLength - dataStart);
  const tensors = entries.map(({ name, dtype, shape, offset, byteLength }): NamedTensor => {
    if (!isReadableType(dtype))
      throw brokenTensors(file, `${name} has type ${dtype}; F32, F16 and BF16 can be read`);
    const values = new Float32Array(shape.reduce((product, length) => product * length, 1));
    const start = dataStart + offset;
    decodeNumbers(bytes.subarray(start, start + byteLength), dtype, values);
    return { name, shape, values };
  });
  return { tensors, metadata };
}
