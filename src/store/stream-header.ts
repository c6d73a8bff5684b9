import { encodeDictionaryBatch, encodeSchema } from './arrow-types.js';
import type { ResolvedColumn } from './columns.js';
import { encodeTexts } from './list-buffers.js';
import { frame, MessageBody } from './message-body.js';
import type { TableSchema } from './schemas.js';

/** What a stream begins with: its schema, then all its dictionaries, so that a table without rows can be read. */
export function headerOf({ schema, columns }: TableSchema): Uint8Array[] {
  const chunks = [...frame(encodeSchema(schema)).chunks];
  for (const [id, column] of columns.entries()) {
    if (column.kind === 'dictionary') chunks.push(...dictionaryMessage(id, column));
  }
  return chunks;
}

function dictionaryMessage(id: number, column: ResolvedColumn): readonly Uint8Array[] {
  const body = new MessageBody();
  encodeTexts(column.values, body);
  return frame(encodeDictionaryBatch(id, body.layout(column.values.length)), body).chunks;
}
