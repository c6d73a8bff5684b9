import { decodeColumn, partsOf } from './column-decoder.js';
import type { ColumnView } from './column-views.js';
import { ParsedMessage } from './message-parser.js';
import type { OpenFile } from './open-file.js';
import type { ColumnPart } from './part-memory.js';
import type { ColumnLayout } from './schema-parser.js';
import type { BatchBlock } from './table-index.js';

/** Messages up to this size are read whole, in one call; of larger ones only the columns that are asked for. */
const wholeBelow = 1 << 18;

/**
 * Read a batch, or the named columns of it. Throws a RangeError when the bytes are no batch with these columns.
 */
export async function readParts(
  file: OpenFile,
  block: BatchBlock,
  layout: readonly ColumnLayout[],
  names?: readonly string[],
): Promise<Map<string, ColumnView>> {
  const whole = names === undefined || block.metadataLength + block.bodyLength <= wholeBelow;
  const length = block.metadataLength + (whole ? block.bodyLength : 0);
  const bytes = await readPiece(file, block.offset, length);
  const message = new ParsedMessage(bytes.subarray(8, block.metadataLength));
  const parts = partsOf(layout, message.batch());
  const wanted = parts.filter((part) => names?.includes(part.column.name) ?? true);
  const views = new Map<string, ColumnView>();
  for (const span of whole ? [spanOf(wanted)] : spansOf(wanted)) {
    const at = block.metadataLength + span.start;
    const body = whole
      ? bytes.subarray(at, block.metadataLength + span.end)
      : await readPiece(file, block.offset + at, span.end - span.start);
    for (const part of span.parts) {
      views.set(part.column.name, decodeColumn(part, body.subarray(part.start - span.start), block.firstRow));
    }
  }
  return views;
}

/** A small piece is read at once: handing it to a thread takes longer than reading it. */
async function readPiece(file: OpenFile, position: number, length: number): Promise<Uint8Array> {
  if (length > wholeBelow) return file.read(position, length);
  const bytes = file.readNow(position, length);
  if (bytes.length < length) throw new RangeError(`the file ends at byte ${position + bytes.length}`);
  return bytes;
}

/** Columns that lie next to each other and are read in one piece. */
interface Span {
  readonly start: number;
  readonly end: number;
  readonly parts: readonly ColumnPart[];
}

function spanOf(parts: readonly ColumnPart[]): Span {
  const start = parts.reduce((least, part) => Math.min(least, part.start), parts[0]?.start ?? 0);
  const end = parts.reduce((most, part) => Math.max(most, part.end), start);
  return { start, end, parts };
}

function spansOf(parts: readonly ColumnPart[]): Span[] {
  const spans: Span[] = [];
  for (const part of parts) {
    const joined = spanOf([...(spans.at(-1)?.parts ?? []), part]);
    if (spans.length > 0 && joined.end - joined.start <= wholeBelow) spans[spans.length - 1] = joined;
    else spans.push(spanOf([part]));
  }
  return spans;
}
