import type { Block } from './arrow-types.js';
import { ParsedMessage } from './message-parser.js';

/** A message of a stream and where it lies. */
export interface ScannedMessage extends Block {
  readonly message: ParsedMessage;
  /** Rows of a record batch, 0 for other messages. */
  readonly rows: number;
}

/** Why a stream cannot be read further. */
export interface Truncation {
  /** Bytes before this position are complete messages. */
  readonly atByte: number;
  readonly reason: string;
}

/** How a scan ended. */
export interface ScanEnd {
  /** Position behind the last complete message. */
  readonly end: number;
  /** Whether the end-of-stream marker follows there. */
  readonly ended: boolean;
  /** Bytes that are no complete message, or null when there are none. */
  readonly truncated: Truncation | null;
}

/** Reads `length` bytes from `position` into memory of their own; gives fewer at the end of the file. */
export type ReadAt = (position: number, length: number) => Uint8Array;

/** One read covers the metadata of most messages, or several small messages. */
const windowLength = 4096;

/** Damaged bytes may claim any length; a schema with a large model's layout takes a few MB. */
const maxFlatbuffer = 2 ** 28;

/**
 * Walk over the messages of a stream from `start`, which is the beginning of a message, up to `size`, the length of
 * the file, reading their metadata and skipping their bodies. A message counts when its body is complete.
 */
export function* scanStream(
  readAt: ReadAt,
  start: number,
  size: number,
): Generator<ScannedMessage, ScanEnd, undefined> {
  const read = windowed(readAt, size);
  for (let offset = start; ;) {
    const cut = (reason: string): ScanEnd => ({
      end: offset,
      ended: false,
      truncated: { atByte: offset, reason },
    });
    if (offset === size) return { end: offset, ended: false, truncated: null };
    const prefix = read(offset, 8);
    if (prefix.length < 8) return cut(`${prefix.length} of the 8 bytes that begin a message`);
    const view = new DataView(prefix.buffer, prefix.byteOffset, 8);
    const flatbufferLength = view.getInt32(4, true);
    if (view.getInt32(0, true) !== -1 || flatbufferLength < 0 || flatbufferLength > maxFlatbuffer) {
      return cut('not an Arrow message');
    }
    if (flatbufferLength === 0) return endMarker(offset, size);
    if (offset + 8 + flatbufferLength > size) {
      return cut(`${size - offset - 8} of the ${flatbufferLength} bytes of a message's metadata`);
    }
    const parsed = parse(read(offset + 8, flatbufferLength));
    if (typeof parsed === 'string') return cut(parsed);
    const metadataLength = 8 + flatbufferLength;
    const { bodyLength } = parsed.message;
    const bodyThere = size - offset - metadataLength;
    if (bodyLength > bodyThere) return cut(`${bodyThere} of the ${bodyLength} bytes of a message's body`);
    yield { offset, metadataLength, bodyLength, ...parsed };
    offset += metadataLength + bodyLength;
  }
}

function endMarker(offset: number, size: number): ScanEnd {
  const behind = size - offset - 8;
  const truncated =
    behind === 0 ? null : { atByte: offset + 8, reason: `${behind} bytes behind the end of the stream` };
  return { end: offset, ended: true, truncated };
}

/** A message, or why the bytes are none. */
function parse(metadata: Uint8Array): { message: ParsedMessage; rows: number } | string {
  try {
    const message = new ParsedMessage(metadata);
    return { message, rows: message.rows };
  } catch (error) {
    if (error instanceof RangeError) return `not an Arrow message: ${error.message}`;
    throw error;
  }
}

/**
 * Whether bytes are a message as Arrow before 0.15 wrote it: the length of the metadata without a marker before it.
 */
export function isBefore015(bytes: Uint8Array): boolean {
  if (bytes.byteLength < 8) return false;
  const length = new DataView(bytes.buffer, bytes.byteOffset).getInt32(0, true);
  if (length <= 0 || length > bytes.byteLength - 4) return false;
  return typeof parse(bytes.subarray(4, 4 + length)) !== 'string';
}

function windowed(readAt: ReadAt, size: number): ReadAt {
  let first = 0;
  let bytes: Uint8Array = new Uint8Array();
  return (position, length) => {
    if (position < first || position + length > first + bytes.length) {
      first = position;
      bytes = readAt(position, Math.min(Math.max(length, windowLength), size - position));
    }
    return bytes.subarray(position - first, position - first + length);
  };
}
