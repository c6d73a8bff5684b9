import type { BatchLayout } from './arrow-types.js';

const zeros = new Uint8Array(8);

/** Next multiple of 8: Arrow pads metadata and every buffer to it. */
export function align8(length: number): number {
  return Math.ceil(length / 8) * 8;
}

/** Collects the buffers of one record batch in Arrow's order, without copying them. */
export class MessageBody {
  readonly nodes: { length: number; nullCount: number }[] = [];
  readonly regions: { offset: number; length: number }[] = [];
  readonly chunks: Uint8Array[] = [];
  byteLength = 0;

  /** Begin a field: its rows and how many of them are null. */
  node(length: number, nullCount: number): void {
    this.nodes.push({ length, nullCount });
  }

  /** Append one buffer of the field; an absent validity buffer is given as null. */
  buffer(view: ArrayBufferView | null): void {
    const length = view?.byteLength ?? 0;
    this.regions.push({ offset: this.byteLength, length });
    if (view === null || length === 0) return;
    this.chunks.push(new Uint8Array(view.buffer, view.byteOffset, length));
    const padding = align8(length) - length;
    if (padding > 0) this.chunks.push(zeros.subarray(0, padding));
    this.byteLength += length + padding;
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
 * Put a message's flatbuffer and body together: the continuation marker 0xFFFFFFFF, the int32 length of the padded
 * flatbuffer, the flatbuffer, zeros to a multiple of 8, the body.
 */
export function frame(flatbuffer: Uint8Array, body?: MessageBody): Framed {
  const metadataLength = align8(8 + flatbuffer.byteLength);
  const prefix = new Uint8Array(8);
  const view = new DataView(prefix.buffer);
  view.setInt32(0, -1, true);
  view.setInt32(4, metadataLength - 8, true);
  const padding = zeros.subarray(0, metadataLength - 8 - flatbuffer.byteLength);
  return {
    chunks: [prefix, flatbuffer, padding, ...(body?.chunks ?? [])],
    metadataLength,
    bodyLength: body?.byteLength ?? 0,
  };
}

/** The eight bytes that end a stream. */
export const endOfStream: Uint8Array = Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0);

/** Total length of the chunks in bytes. */
export function byteLengthOf(chunks: readonly Uint8Array[]): number {
  return chunks.reduce((sum, chunk) => sum + chunk.byteLength, 0);
}
