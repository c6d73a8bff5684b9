import { UserError } from '../../data/errors.js';
import type { ColumnKind } from './columns.js';

/** Stands for null, or for a value that was never set, where an int32 column is filled. */
export const missingInt32 = -2147483648;

interface View<K extends ColumnKind> {
  readonly kind: K;
  /** Rows. */
  readonly length: number;
  /** 1 for a row with a value, 0 for a null; null when every row has a value. */
  readonly valid: Uint8Array | null;
}

/** Numbers of `length` rows; under a null lies NaN in floating point, {@link missingInt32} in int32. */
interface NumberView<K extends ColumnKind, A> extends View<K> {
  readonly values: A;
}

/** Lists: row i is `values.subarray(offsets[i], offsets[i + 1])`; `offsets` has `length + 1` entries. */
interface ListView<K extends ColumnKind, A> extends View<K> {
  readonly offsets: Int32Array;
  readonly values: A;
}

/** What is read from a column of each kind. */
export interface ColumnViews {
  readonly int32: NumberView<'int32', Int32Array>;
  readonly float64: NumberView<'float64', Float64Array>;
  readonly float32: NumberView<'float32', Float32Array>;
  /** 0 or 1 a row. */
  readonly bool: NumberView<'bool', Uint8Array>;
  readonly utf8: View<'utf8'> & { readonly values: readonly string[] };
  /** Row i is `values[indices[i]]`. */
  readonly dictionary: View<'dictionary'> & {
    readonly indices: Int32Array;
    readonly values: readonly string[];
  };
  /** Row i is `values.subarray(i * size, (i + 1) * size)`. */
  readonly 'fixed-list-float32': NumberView<'fixed-list-float32', Float32Array> & { readonly size: number };
  readonly 'list-float32': ListView<'list-float32', Float32Array>;
  readonly 'list-int32': ListView<'list-int32', Int32Array>;
  readonly 'list-float64': ListView<'list-float64', Float64Array>;
}

export type ColumnView = ColumnViews[ColumnKind];

/** Columns of equal length that were read from a table. */
export class ColumnSet {
  readonly #columns: ReadonlyMap<string, ColumnView>;

  /** `path` is the file they come from, for messages. */
  constructor(
    readonly path: string,
    readonly rows: number,
    columns: ReadonlyMap<string, ColumnView>,
  ) {
    this.#columns = columns;
  }

  /** Names of the columns, in file order. */
  get names(): string[] {
    return [...this.#columns.keys()];
  }

  /** A column of any kind. Throws a UserError naming the file when it has no such column. */
  view(name: string): ColumnView {
    const view = this.#columns.get(name);
    if (view === undefined) {
      throw new UserError(
        `${this.path}: there is no column ${name} among ${this.names.join(', ')}; was it written by another version?`,
      );
    }
    return view;
  }
}
