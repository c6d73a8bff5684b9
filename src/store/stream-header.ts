import { encodeDictionaryBatch, encodeSchema } from './arrow-types.js';
import type { ResolvedColumn } from './columns.js';
import { encodeTexts } from './list-buffers.js';
import { frame, MessageBody, type Framed } from './message-body.js';
import type { TableSchema } from './table-schema.js';

/** What a stream begins with: its schema, then all its dictionaries, so that a table without rows can be read. */
export function headerOf({ schema, columns }: TableSchema): Uint8Array[] {
  const chunks = [...frame(encodeSchema(schema)).chunks];
  for (const column of columns) {
    if (column.kind === 'dictionary') chunks.push(...dictionaryMessage(column).chunks);
  }
  return chunks;
}

/** Message with the values of a dictionary from the `known`th on; the reader has those before. */
export function dictionaryMessage({ values, dictionaryId }: ResolvedColumn, known = 0): Framed {
  const body = new MessageBody();
  encodeTexts(values.slice(known), body);
  body.endColumn();
  return frame(encodeDictionaryBatch(dictionaryId, body.layout(values.length - known), known > 0), body);
}
