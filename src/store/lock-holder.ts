import { z } from 'zod';
import { UserError } from '../../data/errors.js';
import type { Environment } from './environment.js';
import { systemCode, systemMessage } from './file-system.js';
import type { FileSystem } from './file-system.js';
import { processSchema, thisProcess } from './process-record.js';
import { adviceFor } from './system-error.js';

const holderSchema = processSchema.extend({
  started: z.string(),
  /** Random text of this taking; holders of earlier versions have none, and show no signs of life. */
  token: z.string().optional(),
  /** The job of a scheduler that the process is part of, for people. */
  job: z.string().optional(),
});

/** Who holds a lock. */
export type LockHolder = z.infer<typeof holderSchema>;

/** Digits of the number of signs of life. */
const beatDigits = 10;

/**
 * Text of a lock that was just taken: the holder as one line of JSON, and as a second one the number of signs of life that it
 * has given, in ten digits, which are written over. Whoever watches it needs no clock but his own: a text that changes is
 * a sign of life.
 */
export function textOfLock({ processes, now, token, job }: Environment): string {
  const holder: LockHolder = {
    ...thisProcess(processes),
    started: now().toISOString(),
    token: token(),
    ...(job === null ? {} : { job }),
  };
  return `${JSON.stringify(holder)}\n${'0'.repeat(beatDigits)}\n`;
}

/** What stays of the text of a lock while its holder has it. */
export function holderLine(text: string): string {
  return text.split('\n', 1)[0]!;
}

/** The holder that the text of a lock names; null where there is none, or where it is damaged. */
export function parseHolder(text: string | null): LockHolder | null {
  try {
    return holderSchema.parse(JSON.parse(holderLine(text ?? '')));
  } catch {
    return null;
  }
}

/**
 * Text of a lock; null where there is none. A network file system says ESTALE of a file that was removed or replaced while it
 * was opened.
 */
export function readLock(fs: FileSystem, path: string): string | null {
  try {
    return fs.readText(path);
  } catch (error) {
    const code = systemCode(error);
    // ENOTDIR: what makes the folder says better that a file stands where a folder should.
    if (code === 'ENOENT' || code === 'ESTALE' || code === 'ENOTDIR') return null;
    throw new UserError(`${path}: cannot be read (${systemMessage(error)}); ${adviceFor(code)}`, {
      cause: error,
    });
  }
}
