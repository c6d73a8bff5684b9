import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { shareWork, type WorkLook, type WorkOutcome } from '../../src/run/share-work.js';

/** Pieces of work with locks, in memory; who does a piece takes as many turns as it says. */
class Board {
  readonly done: string[] = [];
  readonly holders = new Map<string, string>();

  /** @param dead pieces with the lock of a process that is gone: an attempt finds that out */
  constructor(private readonly dead: ReadonlySet<string> = new Set()) {
    for (const piece of dead) this.holders.set(piece, 'nobody');
  }

  look = (piece: string): WorkLook => {
    if (this.done.includes(piece)) return 'through';
    return this.holders.has(piece) ? 'held' : 'open';
  };

  async attempt(name: string, piece: string, turns: number): Promise<WorkOutcome> {
    if (this.done.includes(piece)) return 'through';
    const holder = this.holders.get(piece);
    if (holder !== undefined && !(holder === 'nobody' && this.dead.has(piece))) return 'held';
    this.holders.set(piece, name);
    for (let turn = 0; turn < turns; turn++) await Promise.resolve();
    this.holders.delete(piece);
    this.done.push(piece);
    return 'through';
  }
}

const worker = (
  board: Board,
  name: string,
  own: readonly string[],
  others: readonly string[],
  turns = 3,
): Promise<WorkOutcome> =>
  shareWork({ own, others, look: board.look, attempt: (piece) => board.attempt(name, piece, turns) });

test('everything is done once, whoever takes it and however long each takes', async () => {
  const list = fc.uniqueArray(fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j'), {
    minLength: 1,
    maxLength: 10,
  });
  await fc.assert(
    fc.asyncProperty(
      list,
      fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1, maxLength: 6 }),
      list,
      async (pieces, speeds, dead) => {
        const board = new Board(new Set(dead.filter((piece) => pieces.includes(piece))));
        const shares = speeds.map((_, worker) => pieces.filter((_, i) => i % speeds.length === worker));
        const outcomes = await Promise.all(
          speeds.map((turns, i) =>
            worker(
              board,
              `w${i}`,
              shares[i]!,
              pieces.filter((piece) => !shares[i]!.includes(piece)),
              turns,
            ),
          ),
        );
        expect(board.done.toSorted()).toEqual(pieces.toSorted());
        // Held is only said of a piece that another one was still at.
        for (const outcome of outcomes) expect(['through', 'held']).toContain(outcome);
        expect(outcomes).toContain('through');
      },
    ),
  );
});

describe('a process', () => {
  test('does its own first, then helps others, and takes the locks of the dead last', async () => {
    const board = new Board(new Set(['b', 'd']));
    expect(await worker(board, 'me', ['a', 'b'], ['c', 'd', 'e'])).toBe('through');
    expect(board.done).toEqual(['a', 'b', 'c', 'e', 'd']);
  });

  test('comes back to what was held, and leaves it when it is held still', async () => {
    const board = new Board();
    board.holders.set('a', 'another');
    const tried: string[] = [];
    const outcome = await shareWork({
      own: ['a', 'b'],
      others: ['c'],
      look: board.look,
      attempt: (piece) => {
        tried.push(piece);
        return board.attempt('me', piece, 1);
      },
    });
    expect(outcome).toBe('held');
    expect(tried).toEqual(['b', 'a', 'c', 'a']);
    board.holders.delete('a');
    expect(await worker(board, 'me', ['a', 'b'], ['c'])).toBe('through');
  });

  test('is done when its own is, whatever others hold, and asks each of their locks once', async () => {
    const board = new Board();
    for (const piece of ['x', 'y']) board.holders.set(piece, 'another');
    const tried: string[] = [];
    const outcome = await shareWork({
      own: ['a'],
      others: ['x', 'b', 'y'],
      look: board.look,
      attempt: (piece) => {
        tried.push(piece);
        return board.attempt('me', piece, 1);
      },
    });
    expect(outcome).toBe('through');
    expect(tried).toEqual(['a', 'b', 'x', 'y']);
  });

  test('stops when it is told to, with the rest untouched', async () => {
    const tried: string[] = [];
    const outcome = await shareWork({
      own: ['a', 'b', 'c'],
      others: ['d'],
      look: () => 'open',
      attempt: async (piece) => {
        tried.push(piece);
        return piece === 'b' ? 'interrupted' : 'through';
      },
    });
    expect(outcome).toBe('interrupted');
    expect(tried).toEqual(['a', 'b']);
  });
});
