import { createHash } from 'node:crypto';
import fs from 'node:fs';
import { pathToFileURL } from 'node:url';
import { UserError } from '../../data/errors.js';
import type { ModuleFile } from '../../data/module-file.js';
import { systemCode, systemMessage } from './system-error.js';

/**
 * The default export of a module, and what it came from. Throws a UserError for a file that is missing or cannot be loaded.
 *
 * @param what names it, for messages
 */
export async function importDefault(
  place: string,
  what: string,
): Promise<{ value: unknown; module: ModuleFile }> {
  let bytes: Buffer;
  try {
    bytes = fs.readFileSync(place);
  } catch (error) {
    throw new UserError(
      `${what}: the module ${place} cannot be read (${systemCode(error) === 'ENOENT' ? 'there is no such file' : systemMessage(error)}); put it there, or give its place`,
      {
        cause: error,
      },
    );
  }
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  let loaded: unknown;
  try {
    loaded = await import(pathToFileURL(place).href);
  } catch (error) {
    const reason = (error instanceof Error ? error.message : String(error)).split('\n')[0]!;
    throw new UserError(`${what}: the module ${place} cannot be loaded (${reason})`, { cause: error });
  }
  const value: unknown =
    typeof loaded === 'object' && loaded !== null ? Reflect.get(loaded, 'default') : undefined;
  return { value, module: { path: place, sha256 } };
}
