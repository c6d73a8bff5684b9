import type { BatchLayout } from './arrow-types.js';
import { align8, checksumOf, withChecksums } from './checksums.js';

const zeros = new Uint8Array(8);

/** Collects the buffers of one record batch in Arrow's order, without copying them. */
export class MessageBody {
  readonly nodes: { length: number; nullCount: number }[] = [];
  readonly regions: { offset: number; length: number }[] = [];
  readonly chunks: Uint8Array[] = [];
  /** Checksum of each column that is complete. */
  readonly checksums: number[] = [];
  byteLength = 0;
  #checksum = 0;

  /** Begin a field: its rows and how many of them are null. */
  node(length: number, nullCount: number): void {
    this.nodes.push({ length, nullCount });
  }

  /** Append one buffer of the field; an absent validity buffer is given as null. */
  buffer(view: ArrayBufferView | null): void {
    const length = view?.byteLength ?? 0;
    this.regions.push({ offset: this.byteLength, length });
    if (view === null || length === 0) return;
    const chunk = new Uint8Array(view.buffer, view.byteOffset, length);
    this.chunks.push(chunk);
    this.#checksum = checksumOf(chunk, this.#checksum);
    const padding = align8(length) - length;
    if (padding > 0) this.chunks.push(zeros.subarray(0, padding));
    this.byteLength += length + padding;
  }

  /** The buffers since the last call were those of one column. */
  endColumn(): void {
    this.checksums.push(this.#checksum);
    this.#checksum = 0;
  }

  layout(rows: number): BatchLayout {
    return { rows, nodes: this.nodes, regions: this.regions, bodyLength: this.byteLength };
  }
}

/** A message as it lies in a stream. */
export interface Framed {
  readonly chunks: readonly Uint8Array[];
  /** Bytes before the body, the prefix included. */
  readonly metadataLength: number;
  readonly bodyLength: number;
}

/**
 * Put a message's flatbuffer and body together: the continuation marker 0xFFFFFFFF, the int32 length of the metadata, the
 * metadata (the flatbuffer with checksums behind it, a multiple of 8), the body.
 */
export function frame(flatbuffer: Uint8Array, body?: MessageBody): Framed {
  const metadata = withChecksums(flatbuffer, body?.checksums ?? []);
  const prefix = new Uint8Array(8);
  const view = new DataView(prefix.buffer);
  view.setInt32(0, -1, true);
  view.setInt32(4, metadata.byteLength, true);
  return {
    chunks: [prefix, metadata, ...(body?.chunks ?? [])],
    metadataLength: 8 + metadata.byteLength,
    bodyLength: body?.byteLength ?? 0,
  };
}

/** The eight bytes that end a stream. */
export const endOfStream: Uint8Array = Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0);

/** Total length of the chunks in bytes. */
export function byteLengthOf(chunks: readonly Uint8Array[]): number {
  return chunks.reduce((sum, chunk) => sum + chunk.byteLength, 0);
}
