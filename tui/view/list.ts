import { formatNumber } from '../../src/report/text/numbers.js';
import { compares, parseFilter, squeeze } from './filter.js';
import { numbers, texts, type Slice } from '../../src/report/slice/slice.js';
import type { Sort } from './state.js';

/** A column of a list. */
export interface ListViewColumn {
  readonly title: string;
  /** `1` for a plain number, empty for text. */
  readonly unit: string;
  readonly kind: 'number' | 'text';
  /** Most columns it takes on screen. */
  readonly width: number;
  /** What rows are sorted and filtered by, and what is exported; null is missing. */
  value(row: number): number | string | null;
  /** What is on screen; the value with three digits by default. */
  text?(row: number): string;
}

/** Rows that are numbered from 0 and never made into objects: a list may have millions. */
export interface List {
  readonly length: number;
  readonly columns: readonly ListViewColumn[];
  /** What `enter` drills into and `space` selects; null where a row is neither. */
  id(row: number): string | null;
}

export const numberColumn = (
  title: string,
  unit: string,
  value: (row: number) => number | null,
  text?: (row: number) => string,
  width = 12,
): ListViewColumn => ({ title, unit, kind: 'number', width, value, ...(text === undefined ? {} : { text }) });

/** A column of whole numbers, written out: steps, variables, counts. */
export const integerColumn = (
  title: string,
  value: (row: number) => number,
  width?: number,
): ListViewColumn => numberColumn(title, '1', value, (row) => String(value(row)), width);

export const textColumn = (title: string, value: (row: number) => string, width = 24): ListViewColumn => ({
  title,
  unit: '',
  kind: 'text',
  width,
  value,
});

/** What a cell says. */
export function cellText(column: ListViewColumn, row: number): string {
  if (column.text !== undefined) return column.text(row);
  const value = column.value(row);
  if (value === null) return '';
  if (typeof value === 'string') return value;
  return Number.isFinite(value) ? formatNumber(value) : '';
}

const orders = new WeakMap<List, { readonly key: string; readonly order: Int32Array }>();

/** Rows of a list that pass a filter, in order. The last answer for a list is kept. */
export function arrange(list: List, filter: string, sort: Sort | null): Int32Array {
  const key = `${filter}\n${sort?.column} ${sort?.descending}\n${list.length}`;
  const known = orders.get(list);
  if (known?.key === key) return known.order;
  const order = sorted(list, filtered(list, filter), sort);
  orders.set(list, { key, order });
  return order;
}

/** A text is looked for in columns of numbers only in lists that are short. */
const writtenOut = 5000;

function filtered(list: List, filter: string): Int32Array {
  const conditions = parseFilter(filter);
  if (conditions.length === 0) return Int32Array.from({ length: list.length }, (_, row) => row);
  const searched = list.columns.filter(({ kind }) => kind === 'text' || list.length <= writtenOut);
  const tests = conditions.map((condition): ((row: number) => boolean) => {
    if (condition.kind === 'text') {
      const { text, negated } = condition;
      const holds = (row: number): boolean =>
        searched.some((column) => cellText(column, row).toLowerCase().includes(text));
      return negated ? (row) => !holds(row) : holds;
    }
    const { operator, value } = condition;
    const column = list.columns.find(({ title }) => squeeze(title).startsWith(condition.column));
    if (column === undefined) return () => false;
    return (row) => {
      const own = column.value(row);
      return compares(typeof own === 'number' ? own : null, operator, value);
    };
  });
  const rows: number[] = [];
  for (let row = 0; row < list.length; row++) if (tests.every((test) => test(row))) rows.push(row);
  return Int32Array.from(rows);
}

function sorted(list: List, rows: Int32Array, sort: Sort | null): Int32Array {
  const column = sort === null ? undefined : list.columns[sort.column];
  if (sort === null || column === undefined) return rows;
  const direction = sort.descending ? -1 : 1;
  if (column.kind === 'number') {
    const keys = new Float64Array(list.length);
    for (const row of rows) {
      const value = column.value(row);
      keys[row] = typeof value === 'number' ? value : NaN;
    }
    // Missing ones come last in either direction.
    return rows.sort((a, b) => {
      const [x, y] = [keys[a]!, keys[b]!];
      if (Number.isNaN(x) || Number.isNaN(y))
        return Number(Number.isNaN(x)) - Number(Number.isNaN(y)) || a - b;
      return direction * (x - y) || a - b;
    });
  }
  const keys = new Map(Array.from(rows, (row) => [row, String(column.value(row) ?? '')]));
  const compare = new Intl.Collator('en', { numeric: true }).compare;
  return rows.sort((a, b) => direction * compare(keys.get(a)!, keys.get(b)!) || a - b);
}

/** Rows of a list as a table. */
export function listSlice(list: List, order: Int32Array): Slice {
  return {
    columns: list.columns.map((column) => {
      const name = column.title.replaceAll(' ', '_');
      if (column.kind === 'text') {
        return texts(
          name,
          Array.from(order, (row) => String(column.value(row) ?? '')),
        );
      }
      const values = Array.from(order, (row) => {
        const value = column.value(row);
        return typeof value === 'number' && Number.isFinite(value) ? value : null;
      });
      return numbers(name, column.unit, values);
    }),
  };
}
