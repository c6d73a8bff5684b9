import { UserError } from '../../data/errors.js';

/**
 * Errors of Linux that Node has no name for: it reports `Unknown system error -122`. Numbers of
 * asm-generic/errno.h; on other systems they mean something else, and Node knows theirs.
 */
const unnamed: Readonly<Record<number, readonly [code: string, meaning: string]>> =
  process.platform === 'linux'
    ? {
        [-116]: ['ESTALE', 'stale file handle: the server no longer has the file'],
        [-117]: ['EUCLEAN', 'the file system is damaged and needs cleaning'],
        [-122]: ['EDQUOT', 'disk quota exceeded'],
        [-123]: ['ENOMEDIUM', 'no medium found'],
      }
    : {};

function named(error: Error): readonly [code: string, meaning: string] | undefined {
  return 'errno' in error && typeof error.errno === 'number' ? unnamed[error.errno] : undefined;
}

/** What the system says about a failure (`ENOSPC: no space left on device, write`), without a stack. */
export function systemMessage(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const known = named(error);
  if (known === undefined) return error.message;
  const call = 'syscall' in error && typeof error.syscall === 'string' ? `, ${error.syscall}` : '';
  return `${known[0]}: ${known[1]}${call}`;
}

/** Code of a system error (`ENOSPC`), or undefined for anything else. */
export function systemCode(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  const known = named(error)?.[0];
  if (known !== undefined) return known;
  return 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}

/**
 * The last catch of a command: a failure of a system call that nobody had a better word for, as a UserError that names
 * the path and what to look at; everything else as it is.
 */
export function asUserError(error: unknown): unknown {
  if (error instanceof UserError || !(error instanceof Error) || !('syscall' in error)) return error;
  const code = systemCode(error);
  if (code === undefined || !('errno' in error)) return error;
  const path = 'path' in error && typeof error.path === 'string' ? `${error.path}: ` : '';
  return new UserError(`${path}${systemMessage(error)}; ${adviceFor(code)}`, { cause: error });
}

/** What to do about a system error, in a few words. */
export function adviceFor(code: string | undefined): string {
  return advice[code ?? ''] ?? 'check that device';
}

const advice: Readonly<Record<string, string>> = {
  ENOSPC: 'free space on that device',
  EDQUOT: 'free space within the quota, or have it raised',
  EFBIG: 'raise the file size limit (ulimit -f)',
  EROFS: 'the device is read-only: make it writable, or use another folder',
  EACCES: 'change its permissions, or use another folder',
  EPERM: 'change its owner or attributes, or use another folder',
  EMFILE: 'raise the limit of open files (ulimit -n)',
  ENFILE: 'close other programs: the machine has too many open files',
  ENOENT: 'is it spelt right, and is it still there?',
  ENOTDIR: 'a part of the path is no folder',
  ENAMETOOLONG: 'use a shorter name',
  ELOOP: 'its links lead in a circle',
};
