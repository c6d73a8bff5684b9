import fs from 'node:fs';
import { UserError } from '../../data/errors.js';
import { systemCode, systemMessage } from './system-error.js';
import type { TensorFile } from './safetensors.js';
import { headerLength, parseTensorHeader, prefixBytes, type TensorEntry } from './safetensors-header.js';
import { bytesOfType, decodeNumbers, isReadableType } from './tensor-values.js';

/** A tensor of a safetensors file that stays in the file until it is read. */
export interface StoredTensor extends TensorEntry {
  readonly file: string;
  /** Bytes before the data of the file. */
  readonly dataStart: number;
}

/** Bytes of numbers narrower than float32 that are held beside the tensor they become. */
const pieceBytes = 1 << 20;

/**
 * Tensors of a safetensors file, from its header alone. Throws a UserError naming the file when it cannot be read or breaks
 * the format (see {@link parseTensorHeader}).
 */
export function storedTensors(file: string): StoredTensor[] {
  return openTensorFile(file).tensors;
}

/** All tensors of a safetensors file, read one after the other: of any size, as no buffer holds the whole file. */
export function readTensorFile(file: string): TensorFile {
  const { tensors, metadata } = openTensorFile(file);
  return {
    tensors: tensors.map((own) => ({ name: own.name, shape: own.shape, values: readStoredTensor(own) })),
    metadata,
  };
}

function openTensorFile(file: string): { tensors: StoredTensor[]; metadata: TensorFile['metadata'] } {
  return withFile(file, (fd) => {
    const { size } = fs.fstatSync(fd);
    const length = headerLength(file, readBytes(file, fd, 0, Math.min(prefixBytes, size)), size);
    const dataStart = prefixBytes + length;
    const text = new TextDecoder().decode(readBytes(file, fd, prefixBytes, length));
    const { entries, metadata } = parseTensorHeader(file, text, size - dataStart);
    return { tensors: entries.map((entry) => ({ ...entry, file, dataStart })), metadata };
  });
}

/**
 * Values of a tensor of type F32, F16 or BF16, as float32: nothing but they and a small piece of the file are held. Throws a
 * UserError for another type.
 */
export function readStoredTensor(tensor: StoredTensor): Float32Array {
  const { file, name, dtype, shape, dataStart, offset, byteLength } = tensor;
  if (!isReadableType(dtype)) {
    throw new UserError(
      `${file}: ${name} has type ${dtype}, and F32, F16 and BF16 can be read; save the model in one of them`,
    );
  }
  const values = new Float32Array(shape.reduce((product, length) => product * length, 1));
  withFile(file, (fd) => {
    for (let from = 0; from < byteLength; from += pieceBytes) {
      const piece = readBytes(file, fd, dataStart + offset + from, Math.min(pieceBytes, byteLength - from));
      decodeNumbers(piece, dtype, values, from / bytesOfType(dtype));
    }
  });
  return values;
}

function withFile<T>(file: string, use: (fd: number) => T): T {
  try {
    const fd = fs.openSync(file, 'r');
    try {
      return use(fd);
    } finally {
      fs.closeSync(fd);
    }
  } catch (error) {
    if (systemCode(error) === undefined) throw error;
    throw new UserError(`${file}: cannot be read (${systemMessage(error)})`, { cause: error });
  }
}

function readBytes(file: string, fd: number, position: number, length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  let done = 0;
  while (done < length) {
    const got = fs.readSync(fd, bytes, done, length - done, position + done);
    if (got === 0) throw new UserError(`${file}: ends at byte ${position + done}; copy it again`);
    done += got;
  }
  return bytes;
}
