import { totalTensor } from '../../../store/tables/common.js';
import { forceNames, type ForceName } from '../../../store/tables/forces.js';
import { tables } from '../../../store/tables/registry.js';
import type { TypedTable } from '../../../store/typed-table.js';
import { readTable, type RunData } from '../../run-data.js';
import type { PairTerm } from './pair-sets.js';

/** A value of pairs, by {@link keyOf}. */
type Values = ReadonlyMap<string, number>;

/** What the forces do in one update at the checkpoints of a run, in one tensor or all together. */
export interface MeasuredForces {
  /** Checkpoints, ascending. */
  readonly steps: readonly number[];
  readonly forces: ReadonlySet<ForceName>;
  readonly pairings: ReadonlySet<string>;
  /** Change of the mean inner product by a force in one update. */
  readonly inner: Values;
  /** The same of the mean cosine. */
  readonly cosine: Values;
}

/** Columns of the table `forces` that {@link forcesIn} takes. */
export const forceColumns = [
  'step',
  'force',
  'subset',
  'questions',
  'pairing',
  'tensor',
  'inner_rate',
  'cosine_rate',
] as const;

export type ForceTable = TypedTable<typeof tables.forces, (typeof forceColumns)[number]>;

/** Parts of the change of mean inner products that `updates` updates make. */
const ledgerParts = ['change', 'first', 'second'] as const;

export type LedgerPart = (typeof ledgerParts)[number];

/** What the updates after checkpoints did. */
export interface Ledger {
  /** Checkpoints with their numbers of updates, ascending. */
  readonly moments: readonly { readonly step: number; readonly updates: number }[];
  /** By part, as {@link keyOf} with the part in the place of the force and the updates after the step. */
  readonly inner: Values;
}

const keyOf = (
  step: number,
  what: string,
  { subset, questions, pairing }: Omit<PairTerm, 'weight'>,
): string => [step, what, subset, questions, pairing].join(' ');

/** All tensors together; null for a run without the table, or where there was nothing to measure. */
export async function readForces(run: RunData): Promise<MeasuredForces | null> {
  const table = await readTable(run, tables.forces, forceColumns);
  return table === null || table.rows === 0 ? null : forcesIn(table, totalTensor);
}

/** The forces in one tensor, or in a sum over tensors. */
export function forcesIn({ rows, columns }: ForceTable, wanted: string): MeasuredForces {
  const { step, force, subset, questions, pairing, tensor, inner_rate, cosine_rate } = columns;
  const [inner, cosine] = [new Map<string, number>(), new Map<string, number>()];
  const steps = new Set<number>();
  const [found, pairings] = [new Set<string>(), new Set<string>()];
  for (let row = 0; row < rows; row++) {
    if (tensor.text(row) !== wanted) continue;
    const place = [subset.text(row), questions.text(row), pairing.text(row)].join(' ');
    const key = `${step[row]!} ${force.text(row)} ${place}`;
    inner.set(key, inner_rate[row]!);
    cosine.set(key, cosine_rate.values[row]!);
    steps.add(step[row]!);
    found.add(force.text(row));
    pairings.add(pairing.text(row));
  }
  return {
    steps: [...steps].toSorted((a, b) => a - b),
    forces: new Set(forceNames.filter((name) => found.has(name))),
    pairings,
    inner,
    cosine,
  };
}

/** Null for a run without the table, or where there was nothing to measure. */
export async function readLedger(run: RunData): Promise<Ledger | null> {
  const names = ['step', 'updates', 'subset', 'questions', 'pairing', 'tensor'] as const;
  const parts = ['inner_change', 'inner_first', 'inner_second'] as const;
  const table = await readTable(run, tables.force_ledger, [...names, ...parts]);
  if (table === null || table.rows === 0) return null;
  const { columns } = table;
  const { step, updates, subset, questions, pairing, tensor } = columns;
  const inner = new Map<string, number>();
  const moments = new Map<string, { step: number; updates: number }>();
  for (let row = 0; row < table.rows; row++) {
    if (tensor.text(row) !== totalTensor) continue;
    const moment = { step: step[row]!, updates: updates[row]! };
    const place = [subset.text(row), questions.text(row), pairing.text(row)].join(' ');
    ledgerParts.forEach((part, i) => {
      inner.set(`${moment.step} ${part} ${moment.updates} ${place}`, columns[parts[i]!][row]!);
    });
    moments.set(`${moment.step} ${moment.updates}`, moment);
  }
  return {
    moments: [...moments.values()].toSorted((a, b) => a.step - b.step || a.updates - b.updates),
    inner,
  };
}

/** Sum of the terms of a pair set; null where one of them was not measured. */
export function sumOfTerms(
  values: Values,
  step: number,
  what: string,
  terms: readonly PairTerm[],
): number | null {
  let sum = 0;
  for (const term of terms) {
    const value = values.get(keyOf(step, what, term));
    if (value === undefined || !Number.isFinite(value)) return null;
    sum += term.weight * value;
  }
  return sum;
}

/** The same of a part of the ledger. */
export function ledgerSum(
  { inner }: Ledger,
  { step, updates }: Ledger['moments'][number],
  part: LedgerPart,
  terms: readonly PairTerm[],
): number | null {
  return sumOfTerms(inner, step, `${part} ${updates}`, terms);
}
