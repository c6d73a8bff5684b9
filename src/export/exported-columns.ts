import { UserError } from '../../data/errors.js';
import type { ColumnKind } from '../store/columns.js';
import type { FileColumn } from '../store/schema-parser.js';

/** How the values of an exported column are stored; every format has a type for each. */
export type ExportedKind = 'int32' | 'float64' | 'float32' | 'bool' | 'text' | 'list';

/** A column of an exported table. */
export interface ExportedColumn {
  readonly name: string;
  readonly kind: ExportedKind;
  /** Of the numbers of a list; null for other kinds. */
  readonly element: 'int32' | 'float64' | 'float32' | null;
  /** Unit of the values; `1` for a plain number, empty for text. */
  readonly unit: string;
  readonly description: string;
}

/** Numbers of some rows; `valid` is 0 for a row without a value, null where every row has one. */
interface Numbers<K extends ExportedKind, A> {
  readonly kind: K;
  readonly values: A;
  readonly valid: Uint8Array | null;
}

/** Values of one column of some rows. */
export type ExportedValues =
  | Numbers<'int32', Int32Array>
  | Numbers<'float64', Float64Array>
  | Numbers<'float32', Float32Array>
  /** 0 or 1 a row. */
  | Numbers<'bool', Uint8Array>
  /** Row i is `words[codes[i]]`; -1 for a row without a text. */
  | { readonly kind: 'text'; readonly codes: Int32Array; readonly words: readonly string[] }
  | { readonly kind: 'list'; readonly values: readonly (ArrayLike<number> | null)[] };

/** Some rows of an exported table, column by column in the order of its columns. */
export interface ExportedRows {
  readonly rows: number;
  readonly columns: readonly ExportedValues[];
}

const kinds: Readonly<Record<ColumnKind, Pick<ExportedColumn, 'kind' | 'element'>>> = {
  int32: { kind: 'int32', element: null },
  float64: { kind: 'float64', element: null },
  float32: { kind: 'float32', element: null },
  bool: { kind: 'bool', element: null },
  utf8: { kind: 'text', element: null },
  dictionary: { kind: 'text', element: null },
  'fixed-list-float32': { kind: 'list', element: 'float32' },
  'list-float32': { kind: 'list', element: 'float32' },
  'list-float64': { kind: 'list', element: 'float64' },
  'list-int32': { kind: 'list', element: 'int32' },
};

/** A column of a run's table as it is exported. */
function exportedColumn({ name, kind, unit, description }: FileColumn): ExportedColumn {
  return { name, ...kinds[kind], unit, description };
}

/**
 * Columns of one table of several runs: all that any of them has, in the order in which they first come. Throws a UserError
 * where two runs have a column of one name with values of two kinds.
 *
 * @param schemas columns of the table of each run, with its path
 */
export function unitedColumns(
  schemas: readonly { readonly path: string; readonly columns: readonly FileColumn[] }[],
): ExportedColumn[] {
  const united = new Map<string, ExportedColumn & { readonly path: string }>();
  for (const { path, columns } of schemas) {
    for (const column of columns.map(exportedColumn)) {
      const known = united.get(column.name);
      if (known === undefined) united.set(column.name, { ...column, path });
      else if (known.kind !== column.kind || known.element !== column.element) {
        throw new UserError(
          `${path}: column ${column.name} holds ${nameOf(column)} and in ${known.path} ${nameOf(known)}; ` +
            'export them apart, or leave the column out with --columns',
        );
      }
    }
  }
  return [...united.values()].map(({ path: _, ...column }) => column);
}

const nameOf = ({ kind, element }: ExportedColumn): string =>
  element === null ? `${kind} values` : `lists of ${element}`;
