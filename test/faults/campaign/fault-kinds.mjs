// Kinds of faults at calls of the file system, and to which calls each can happen.
import path from 'node:path';

/** Calls that change what is on the device. */
const changing = [
  'create',
  'change',
  'write',
  'truncate',
  'rename',
  'unlink',
  'mkdir',
  'link',
  'symlink',
  'copy',
];

/** Calls that need space. */
const growing = ['create', 'write', 'mkdir', 'link', 'symlink', 'copy', 'fsync'];

const bringing = ['fsync', 'fsync folder'];

const kills = ['before', 'after', 'torn'];

const errors = {
  ENOSPC: { errno: -28, text: 'no space left on device', to: growing },
  // Node knows no name for this number.
  EDQUOT: { errno: -122, code: 'Unknown system error -122', text: 'Unknown system error -122', to: growing },
  EIO: { errno: -5, text: 'i/o error', to: [...changing, ...bringing, 'open', 'read', 'list', 'stat'] },
  EROFS: { errno: -30, text: 'read-only file system', to: changing },
  // What some file systems say to the fsync of a folder.
  EINVAL: { errno: -22, text: 'invalid argument', to: ['fsync folder'] },
  EINTR: {
    errno: -4,
    text: 'interrupted system call',
    to: ['create', 'change', 'open', 'read', 'write', 'fsync'],
  },
};

/** Names of Node's for the system calls. */
const systemCalls = {
  create: 'open',
  change: 'open',
  list: 'scandir',
  truncate: 'ftruncate',
  copy: 'copyfile',
};

export function isKill(kind) {
  return kills.includes(kind);
}

/** Whether a fault of a kind can happen to a call. */
export function applies(kind, operation) {
  if (kind === 'torn' || kind === 'short')
    return kind === 'torn' ? changing.includes(operation) : operation === 'write';
  if (isKill(kind)) return changing.includes(operation) || bringing.includes(operation);
  return errors[kind].to.includes(operation);
}

/** The error that Node throws for a failed call. */
export function systemError(kind, operation, name) {
  const { errno, text, code = kind } = errors[kind];
  const syscall = systemCalls[operation] ?? operation;
  const byPath = !['read', 'write', 'truncate', ...bringing].includes(operation);
  const message = `${code}: ${text}, ${syscall}${byPath ? ` '${path.resolve(name)}'` : ''}`;
  return Object.assign(new Error(message), { errno, code, syscall, ...(byPath ? { path: name } : {}) });
}
