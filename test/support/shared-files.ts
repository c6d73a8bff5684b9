import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';

/**
 * Contents of a file of the folder `shared` beside the repository, which is too big or not ours to keep here; null, with a
 * word, where it is missing.
 */
export function sharedFile(name: string, sha256: string): Buffer | null {
  const file = path.resolve('../shared', name);
  if (!fs.existsSync(file)) {
    console.log(`skipped: ${file} is missing`);
    return null;
  }
  const bytes = fs.readFileSync(file);
  const found = createHash('sha256').update(bytes).digest('hex');
  if (found !== sha256) throw new Error(`${file}: sha256 is ${found}, expected ${sha256}`);
  return bytes;
}
