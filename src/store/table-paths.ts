import { join } from 'node:path';

/** Path of a table that is complete. */
export function filePath(folder: string, table: string): string {
  return join(folder, `${table}.arrow`);
}

/** Path of a table that is being written, or was when its process ended. */
export function streamPath(folder: string, table: string): string {
  return join(folder, `${table}.arrows`);
}
