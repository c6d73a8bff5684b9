import { z } from 'zod';
import { UserError } from '../../data/errors.js';

/** Where a tensor lies in a safetensors file. */
export interface TensorEntry {
  readonly name: string;
  /** Type as the format names it, such as `F32`. */
  readonly dtype: string;
  readonly shape: readonly number[];
  /** Place of its first byte behind the header. */
  readonly offset: number;
  readonly byteLength: number;
}

/** Header of a safetensors file: tensors in the order of their bytes. */
export interface TensorHeader {
  readonly entries: readonly TensorEntry[];
  readonly metadata: Readonly<Record<string, string>>;
}

const entrySchema = z.object({
  dtype: z.string(),
  shape: z.array(z.int().nonnegative()),
  data_offsets: z.tuple([z.int().nonnegative(), z.int().nonnegative()]),
});

/** Bytes of a number of each type of the format. */
const typeBytes: Readonly<Record<string, number>> = {
  BOOL: 1,
  U8: 1,
  I8: 1,
  F8_E4M3: 1,
  F8_E5M2: 1,
  U16: 2,
  I16: 2,
  F16: 2,
  BF16: 2,
  U32: 4,
  I32: 4,
  F32: 4,
  U64: 8,
  I64: 8,
  F64: 8,
};

/** Bytes before the header: its length as a little-endian uint64. */
export const prefixBytes = 8;

/** What is said of a file that breaks the format. */
export function brokenTensors(file: string, what: string): UserError {
  return new UserError(`${file}: not a valid safetensors file: ${what}`);
}

/**
 * Length of the header, from the first eight bytes. Throws a UserError naming the file when it is larger than the file.
 *
 * @param size bytes of the whole file
 */
export function headerLength(file: string, prefix: Uint8Array, size: number): number {
  if (size < prefixBytes) throw brokenTensors(file, `${size} bytes long`);
  const view = new DataView(prefix.buffer, prefix.byteOffset, prefix.byteLength);
  const length = Number(view.getBigUint64(0, true));
  if (prefixBytes + length > size)
    throw brokenTensors(file, `its header of ${length} bytes is larger than the file`);
  return length;
}

/**
 * Reads a header. Throws a UserError naming the file for one that is no JSON, for tensors that overlap, have holes between
 * them or reach beyond the data, and for sizes that do not fit shape and type.
 *
 * @param text JSON, possibly padded with spaces
 * @param dataLength bytes behind the header
 */
export function parseTensorHeader(file: string, text: string, dataLength: number): TensorHeader {
  const broken = (what: string): UserError => brokenTensors(file, what);
  const { metadata, tensors } = readJson(text, broken);
  const ordered = tensors.toSorted(([, a], [, b]) => a.data_offsets[0] - b.data_offsets[0]);
  let end = 0;
  const entries = ordered.map(([name, { dtype, shape, data_offsets }]): TensorEntry => {
    const [from, to] = data_offsets;
    if (from !== end) throw broken(`${from < end ? 'overlapping tensors' : 'a hole'} before ${name}`);
    const size = shape.reduce((product, length) => product * length, 1);
    const bytes = Object.hasOwn(typeBytes, dtype) ? typeBytes[dtype] : undefined;
    if (bytes !== undefined && to - from !== size * bytes)
      throw broken(`${name} has ${to - from} bytes for ${dtype} [${shape.join()}]`);
    if (to > dataLength) throw broken(`${name} ends behind the end of the file`);
    end = to;
    return { name, dtype, shape, offset: from, byteLength: to - from };
  });
  if (end !== dataLength) throw broken(`${dataLength - end} bytes belong to no tensor`);
  return { entries, metadata };
}

function readJson(text: string, broken: (what: string) => UserError) {
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
  return { metadata: strings.data, tensors: Object.entries(list.data) };
}
