import type { Composition, CompositionShape } from './composition.js';
import type { PairUnit } from './pairs.js';
import type { RandomStream } from './random/streams.js';

/**
 * The minibatches of one epoch of a composition: every row once, as many in each minibatch as the shape says. The units that
 * are placed are drawn, then who goes where; all other rows fill the places that are left, every way being equally likely.
 * Units are exchangeable, and so are the rows of one: that, and numbers of placed rows that are the same in every epoch,
 * make the law of `cooccurrenceLaw` exact.
 *
 * @param units every one that may be placed; together with the rows that are in none they are the rows `0 .. examples - 1`
 */
export function composedEpoch(
  shape: CompositionShape,
  place: Composition['place'],
  units: readonly PairUnit[],
  random: RandomStream,
): Int32Array[] {
  const { sizes } = shape;
  const examples = sizes.reduce((total, own) => total + own, 0);
  const chosen = Array.from(random.permutation(units.length).subarray(0, shape.units), (unit) => [
    units[unit]!.definition,
    ...units[unit]!.questions,
  ]);
  const placed = shuffledAmongEqual(shape.placed, sizes, random);
  const minibatches = sizes.map((size) => ({ rows: new Int32Array(size), filled: 0 }));
  const isPlaced = new Uint8Array(examples);
  const put = (row: number, minibatch: number): void => {
    const own = minibatches[minibatch]!;
    own.rows[own.filled++] = row;
    isPlaced[row] = 1;
  };
  if (place === 'together') {
    let next = 0;
    placed.forEach((count, minibatch) => {
      for (let done = 0; done < count; done += shape.unitSize) {
        for (const row of chosen[next]!) put(row, minibatch);
        next++;
      }
    });
  } else {
    const places = separatePlaces(placed, shape.units, random);
    chosen.forEach((rows, unit) => {
      random.shuffle(rows);
      rows.forEach((row, i) => put(row, places[unit * shape.unitSize + i]!));
    });
  }
  const others = random.permutation(examples).filter((row) => isPlaced[row] === 0);
  let next = 0;
  return minibatches.map(({ rows, filled }) => {
    for (let i = filled; i < rows.length; i++) rows[i] = others[next++]!;
    return rows;
  });
}

/** Counts of whole minibatches in a new order; a smaller last one keeps its own. */
function shuffledAmongEqual(
  counts: readonly number[],
  sizes: readonly number[],
  random: RandomStream,
): number[] {
  const whole = sizes.filter((size) => size === sizes[0]).length;
  const shuffled = counts.slice(0, whole);
  random.shuffle(shuffled);
  return [...shuffled, ...counts.slice(whole)];
}

/**
 * `[unit, row]` minibatch of each row of `units` units, no two of one unit in the same, `counts[minibatch]` in each: a random
 * order of the places, in which rows are then exchanged that have another row of their unit beside them. An exchange that
 * leaves fewer such rows is always there where a minibatch has at most as many placed rows as there are units: of the units
 * that the minibatch of such a row lacks, one has a row in a minibatch that lacks the row's unit, or two rows in one.
 */
function separatePlaces(counts: readonly number[], units: number, random: RandomStream): Int32Array {
  const places = Int32Array.from(
    counts.flatMap((count, minibatch) => new Array<number>(count).fill(minibatch)),
  );
  random.shuffle(places);
  const unitSize = places.length / units;
  const minibatches = counts.length;
  const present = new Map<number, number>();
  const key = (row: number, minibatch: number): number =>
    Math.floor(row / unitSize) * minibatches + minibatch;
  const rowsIn = (row: number, minibatch: number): number => present.get(key(row, minibatch)) ?? 0;
  const add = (row: number, minibatch: number, change: number): void => {
    present.set(key(row, minibatch), rowsIn(row, minibatch) + change);
  };
  places.forEach((minibatch, row) => add(row, minibatch, 1));
  for (let row = 0; row < places.length; row++) {
    while (rowsIn(row, places[row]!) > 1) {
      const from = places[row]!;
      // From a random row on, so that no unit is preferred.
      const first = random.integer(places.length);
      let partner = first;
      const improves = (): boolean => {
        const to = places[partner]!;
        if (to === from || Math.floor(partner / unitSize) === Math.floor(row / unitSize)) return false;
        const left = 1 + Number(rowsIn(partner, to) > 1);
        return Number(rowsIn(row, to) > 0) + Number(rowsIn(partner, from) > 0) < left;
      };
      while (!improves()) {
        partner = (partner + 1) % places.length;
        if (partner === first) throw new Error('no exchange separates the rows of a unit');
      }
      const to = places[partner]!;
      add(row, from, -1);
      add(row, to, 1);
      add(partner, to, -1);
      add(partner, from, 1);
      places[row] = to;
      places[partner] = from;
    }
  }
  return places;
}
