/** How a call of the file system goes wrong: the process is killed, a write is short, or an errno. */
export type FaultKind =
  'before' | 'after' | 'torn' | 'short' | 'ENOSPC' | 'EDQUOT' | 'EIO' | 'EROFS' | 'EINVAL' | 'EINTR';

export function isKill(kind: FaultKind): boolean;
export function applies(kind: FaultKind, operation: string): boolean;
