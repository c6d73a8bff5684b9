/** A column of what is on screen, or of what is written in its place. */
export type SliceColumn =
  | {
      readonly name: string;
      /** `1` for a plain number. */
      readonly unit: string;
      readonly kind: 'number';
      readonly values: readonly (number | null)[];
    }
  | { readonly name: string; readonly unit: ''; readonly kind: 'text'; readonly values: readonly string[] }
  | {
      readonly name: string;
      readonly unit: '';
      /** Lists of whole numbers. */
      readonly kind: 'numbers';
      readonly values: readonly (readonly number[])[];
    }
  | {
      readonly name: string;
      readonly unit: '';
      readonly kind: 'texts';
      readonly values: readonly (readonly string[])[];
    };

/** What is on screen as a table, columns of equal length. */
export interface Slice {
  readonly columns: readonly SliceColumn[];
}

export const numbers = (name: string, unit: string, values: readonly (number | null)[]): SliceColumn => ({
  name,
  unit,
  kind: 'number',
  values,
});

export const texts = (name: string, values: readonly string[]): SliceColumn => ({
  name,
  unit: '',
  kind: 'text',
  values,
});

/** Rows of a slice. */
export const rowsOf = ({ columns }: Slice): number => columns[0]?.values.length ?? 0;
