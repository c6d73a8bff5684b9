import { UserError } from '../errors.js';

const strict = () => new TextDecoder('utf-8', { fatal: true });

/** The text of a UTF-8 file. Throws a UserError with the first line that is not UTF-8. */
export function utf8Text(file: string, bytes: Uint8Array): string {
  try {
    return strict().decode(bytes);
  } catch (cause) {
    throw new UserError(`${file}, line ${badLine(bytes)}: is not UTF-8; save the file in that encoding`, {
      cause,
    });
  }
}

function badLine(bytes: Uint8Array): number {
  let line = 1;
  let start = 0;
  while (start < bytes.length) {
    const found = bytes.indexOf(0x0a, start);
    const end = found < 0 ? bytes.length : found;
    try {
      strict().decode(bytes.subarray(start, end));
    } catch {
      return line;
    }
    start = end + 1;
    line++;
  }
  return line;
}
