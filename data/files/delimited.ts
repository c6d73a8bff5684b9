import Papa from 'papaparse';
import { UserError } from '../errors.js';

/** A row that is still open after so many characters has a quote that never ends. */
const longestRow = 1 << 26;

/** A row of a table: its fields by column. */
export type TableRow<Column extends string> = Readonly<Record<Column, string>>;

/**
 * Reads the wanted columns of a table whose first row names them, in any order and among others. The text comes in pieces,
 * so that a file need not fit into memory. A field that a short row does not have is empty.
 *
 * @param file for messages
 * @throws UserError for columns that are missing, a row with more fields than the first, and a quote without an end
 */
export function* delimitedRows<const Column extends string>(
  file: string,
  pieces: Iterable<string>,
  columns: readonly Column[],
): Generator<TableRow<Column>, void> {
  let places: ReadonlyMap<Column, number> | null = null;
  let width = 0;
  let number = 0;
  for (const fields of delimitedFields(file, pieces)) {
    number++;
    if (places === null) {
      places = placesOf(file, fields, columns);
      width = fields.length;
      continue;
    }
    if (fields.length > width) {
      throw new UserError(
        `${file}, row ${number}: has ${fields.length} fields, but the first row names ${width} columns; quote fields that ` +
          'hold the delimiter',
      );
    }
    yield rowOf(places, fields);
  }
  if (places === null) throw new UserError(`${file}: is empty; expected a row of column names`);
}

function placesOf<Column extends string>(
  file: string,
  names: readonly string[],
  columns: readonly Column[],
): ReadonlyMap<Column, number> {
  const places = new Map(columns.map((column) => [column, names.indexOf(column)]));
  const missing = columns.filter((column) => places.get(column)! < 0);
  if (missing.length > 0) {
    throw new UserError(
      `${file}: has no column ${missing.join(', ')} (it has ${names.join(', ').slice(0, 300)}); give the file with all of ` +
        columns.join(', '),
    );
  }
  return places;
}

function rowOf<Column extends string>(
  places: ReadonlyMap<Column, number>,
  fields: readonly string[],
): TableRow<Column> {
  const row = Object.fromEntries(Array.from(places, ([column, place]) => [column, fields[place] ?? '']));
  // Its keys are those of `places`, which the type of Object.fromEntries does not say.
  return row as TableRow<Column>;
}

function* delimitedFields(file: string, pieces: Iterable<string>): Generator<readonly string[], void> {
  let rest = '';
  let parser: Papa.Parser | null = null;
  const parse = (isLast: boolean): { data: string[][]; meta: { cursor: number } } => {
    parser ??= parserFor(rest);
    return parser.parse(rest, 0, !isLast) as { data: string[][]; meta: { cursor: number } };
  };
  for (const piece of pieces) {
    rest += piece;
    // The delimiter and the kind of line end are known by the end of the first row.
    if (parser === null && !rest.includes('\n')) continue;
    const { data, meta } = parse(false);
    yield* data.filter(isFilled);
    rest = rest.slice(meta.cursor);
    if (rest.length > longestRow) {
      throw new UserError(`${file}: has a row of more than ${longestRow} characters; close the quote in it`);
    }
  }
  if (rest !== '') yield* parse(true).data.filter(isFilled);
}

function isFilled(fields: readonly string[]): boolean {
  return fields.length > 1 || fields[0] !== '';
}

function parserFor(start: string): Papa.Parser {
  const [first = ''] = start.split('\n', 1);
  return new Papa.Parser({
    delimiter: first.includes('\t') ? '\t' : ',',
    newline: first.endsWith('\r') ? '\r\n' : '\n',
    quoteChar: '"',
  });
}
