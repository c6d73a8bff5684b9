/** What a cheap look says about a piece of work, which may be out of date. */
export type WorkLook =
  /** Something can be done about it. */
  | 'open'
  /** All that is left of it has a lock, of a living process or of a dead one. */
  | 'held'
  /** Nothing is left to do. */
  | 'through';

/** How an attempt at a piece of work ended; a failure is an end too. */
export type WorkOutcome = 'through' | 'held' | 'interrupted';

/** Pieces of work that several processes take from one list. */
export interface SharedWork<T> {
  /** What this process is responsible for. */
  readonly own: readonly T[];
  /** What it takes when its own is done, as far as nobody else does. */
  readonly others: readonly T[];
  readonly look: (piece: T) => WorkLook;
  /** Claims a piece and does it. */
  readonly attempt: (piece: T) => Promise<WorkOutcome>;
}

/**
 * Does what nobody else does: the own pieces first, then those of others. A piece that is held is passed over and comes again
 * when all others have had their turn; the work ends when all that is left is held. Nobody waits here: what a lock is worth
 * is found out by the attempt.
 *
 * @returns `held` when some of the own pieces are left to others
 */
export async function shareWork<T>({ own, others, look, attempt }: SharedWork<T>): Promise<WorkOutcome> {
  const isOwn = new Set(own);
  const left = new Set([...own, ...others]);
  /** Pieces that were done when one was attempted last: without progress since then it is held as before. */
  const attempted = new Map<T, number>();
  let done = 0;

  /** Rank of a piece among those to take next, 0 the first; null when it is not to be taken now. */
  const rankOf = (piece: T): number | null => {
    const seen = look(piece);
    const last = attempted.get(piece);
    // Own pieces are attempted whatever they look like: to say what became of them is this process's part.
    if (isOwn.has(piece) && last === undefined) return seen === 'held' ? 1 : 0;
    if (seen === 'through' || last === done) return null;
    if (seen === 'open') return 2;
    // A lock of a process elsewhere takes up to a minute to judge, and those of others are judged by others too.
    return isOwn.has(piece) || last === undefined ? 3 : null;
  };
  const next = (): T | null => {
    let best: { readonly piece: T; readonly rank: number } | null = null;
    for (const piece of left) {
      const rank = rankOf(piece);
      if (rank === 0) return piece;
      if (rank !== null && (best === null || rank < best.rank)) best = { piece, rank };
    }
    return best?.piece ?? null;
  };

  for (let piece = next(); piece !== null; piece = next()) {
    const outcome = await attempt(piece);
    if (outcome === 'interrupted') return 'interrupted';
    attempted.set(piece, done);
    if (outcome === 'held') continue;
    left.delete(piece);
    done++;
  }
  return own.some((piece) => left.has(piece)) ? 'held' : 'through';
}
