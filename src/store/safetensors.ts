import { z } from 'zod';
import { UserError } from '../../data/errors.js';

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

const entrySchema = z.object({
  dtype: z.string(),
  shape: z.array(z.int().nonnegative()),
  data_offsets: z.tuple([z.int().nonnegative(), z.int().nonnegative()]),
});

const bytesOf = { F32: 4, F16: 2, BF16: 2 } as const;

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
  const broken = (what: string): UserError => new UserError(`${file}: not a valid safetensors file: ${what}`);
  if (bytes.byteLength < 8) throw broken(`${bytes.byteLength} bytes long`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const headerLength = Number(view.getBigUint64(0, true));
  const dataStart = 8 + headerLength;
  if (dataStart > bytes.byteLength)
    throw broken(`its header of ${headerLength} bytes is larger than the file`);
  const header = parseHeader(new TextDecoder().decode(bytes.subarray(8, dataStart)), broken);
  const tensors: NamedTensor[] = [];
  let end = 0;
  for (const [name, entry] of header.entries.toSorted(
    ([, a], [, b]) => a.data_offsets[0] - b.data_offsets[0],
  )) {
    const { dtype, shape, data_offsets } = entry;
    const [from, to] = data_offsets;
    if (from !== end) throw broken(`${from < end ? 'overlapping tensors' : 'a hole'} before ${name}`);
    if (!isKnownType(dtype)) throw broken(`${name} has type ${dtype}; F32, F16 and BF16 can be read`);
    const size = shape.reduce((product, length) => product * length, 1);
    if (to - from !== size * bytesOf[dtype])
      throw broken(`${name} has ${to - from} bytes for ${dtype} [${shape.join()}]`);
    if (dataStart + to > bytes.byteLength) throw broken(`${name} ends behind the end of the file`);
    tensors.push({ name, shape, values: decodeValues(view, dataStart + from, size, dtype) });
    end = to;
  }
  if (dataStart + end !== bytes.byteLength)
    throw broken(`${bytes.byteLength - dataStart - end} bytes belong to no tensor`);
  return { tensors, metadata: header.metadata };
}

function parseHeader(text: string, broken: (what: string) => UserError) {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw broken('its header is no JSON');
  }
  const parsed = z.record(z.string(), z.unknown()).safeParse(json);
  if (!parsed.success) throw broken('its header is no JSON object');
  const { __metadata__: metadata = {}, ...entries } = parsed.data;
  const strings = z.record(z.string(), z.string()).safeParse(metadata);
  const list = z.record(z.string(), entrySchema).safeParse(entries);
  if (!strings.success || !list.success) throw broken('its header does not describe tensors');
  return { metadata: strings.data, entries: Object.entries(list.data) };
}

function isKnownType(dtype: string): dtype is keyof typeof bytesOf {
  return Object.hasOwn(bytesOf, dtype);
}

function decodeValues(
  view: DataView,
  start: number,
  size: number,
  dtype: keyof typeof bytesOf,
): Float32Array {
  const values = new Float32Array(size);
  if (dtype === 'F32') {
    for (let i = 0; i < size; i++) values[i] = view.getFloat32(start + 4 * i, true);
    return values;
  }
  const bits = new Uint32Array(values.buffer);
  for (let i = 0; i < size; i++) {
    const half = view.getUint16(start + 2 * i, true);
    // A bfloat16 is the upper half of a float32.
    if (dtype === 'BF16') bits[i] = half << 16;
    else values[i] = halfToNumber(half);
  }
  return values;
}

/** IEEE 754 binary16: 1 sign, 5 exponent and 10 fraction bits. */
function halfToNumber(half: number): number {
  const sign = half & 0x8000 ? -1 : 1;
  const exponent = (half >> 10) & 0x1f;
  const fraction = half & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction === 0 ? sign * Infinity : NaN;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}
