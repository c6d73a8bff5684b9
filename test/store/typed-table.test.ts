import { expect, expectTypeOf, it } from 'vitest';
import { UserError } from '../../data/errors.js';
import { missingInt32 } from '../../src/store/column-views.js';
import { int32, listInt32 } from '../../src/store/columns.js';
import { tables } from '../../src/store/tables/registry.js';
import { TableReader } from '../../src/store/table-reader.js';
import { TableWriter } from '../../src/store/table-writer.js';
import {
  readTyped,
  readTypedBatch,
  type DictionaryColumn,
  type Nullable,
} from '../../src/store/typed-table.js';
import { dimensions, everyKind, fill, temporaryFolder } from './support.js';

const row = {
  i32: 1,
  i32_null: null,
  f64: 0.5,
  f64_null: null,
  f32: 0.25,
  f32_null: null,
  flag: true,
  text: 'ü',
  word: 'zwei',
  triple: [1, 2, 3],
  f32s: [0.5],
  i32s: [],
  f64s: [1, 2],
};

/** The reader of a table of two rows in two batches. */
async function twoRows(): Promise<TableReader> {
  const folder = temporaryFolder();
  const writer = TableWriter.create({ folder, table: everyKind, dimensions, batchRows: 1 });
  fill(writer, [row]);
  writer.flush();
  fill(writer, [{ ...row, i32_null: 3, f64_null: 4, f32_null: 5, word: '三', f32s: [6, 7], i32s: [8] }]);
  writer.close();
  return TableReader.open(folder, 'every_kind');
}

const everyColumn = [
  'i32',
  'i32_null',
  'f64',
  'f64_null',
  'f32',
  'f32_null',
  'flag',
  'text',
  'word',
  'triple',
  'f32s',
  'i32s',
  'f64s',
] as const;

it('reads every kind of column as its definition declares it', async () => {
  const reader = await twoRows();
  const { rows, columns } = await readTyped(reader, everyKind, everyColumn);
  await reader.close();
  expect(rows).toBe(2);
  expect([columns.i32, columns.f64, columns.f32, columns.flag]).toEqual([
    Int32Array.of(1, 1),
    Float64Array.of(0.5, 0.5),
    Float32Array.of(0.25, 0.25),
    Uint8Array.of(1, 1),
  ]);
  expect(columns.text).toEqual(['ü', 'ü']);
  expect([columns.word.text(0), columns.word.text(1)]).toEqual(['zwei', '三']);
  expect(columns.word.values[columns.word.indices[1]!]).toBe('三');
  expect([columns.triple.size, columns.triple.row(1)]).toEqual([3, Float32Array.of(1, 2, 3)]);
  expect([columns.f32s.row(0), columns.f32s.row(1)]).toEqual([Float32Array.of(0.5), Float32Array.of(6, 7)]);
  expect([columns.i32s.row(0), columns.i32s.row(1)]).toEqual([Int32Array.of(), Int32Array.of(8)]);
  expect(columns.f64s.row(1)).toEqual(Float64Array.of(1, 2));
  const { i32_null: i32, f64_null: f64, f32_null: f32 } = columns;
  expect([i32, f64, f32].map((column) => [column.isNull(0), column.isNull(1)])).toEqual(
    [i32, f64, f32].map(() => [true, false]),
  );
  expect([i32.values, f64.values, f32.values]).toEqual([
    Int32Array.of(missingInt32, 3),
    Float64Array.of(NaN, 4),
    Float32Array.of(NaN, 5),
  ]);
});

it('reads a range of batches, and one batch', async () => {
  const reader = await twoRows();
  const behind = await readTyped(reader, everyKind, ['word'], [], { from: 1 });
  expect([behind.rows, behind.columns.word.text(0)]).toEqual([1, '三']);
  const first = await readTypedBatch(reader, everyKind, 0, ['word']);
  expect([first.rows, first.columns.word.text(0)]).toEqual([1, 'zwei']);
  await reader.close();
});

it('has null for a column that an earlier version did not write, and refuses one that every version did', async () => {
  const reader = await twoRows();
  const now = {
    ...everyKind,
    columns: { ...everyKind.columns, added: int32('Later.'), word: listInt32('Another kind.') },
  };
  const { columns } = await readTyped(reader, now, ['i32'], ['added', 'f64']);
  expect([columns.added, columns.f64]).toEqual([null, Float64Array.of(0.5, 0.5)]);
  await expect(readTyped(reader, now, ['added'])).rejects.toThrow(/there is no column added among i32/);
  const wrongKind = readTyped(reader, now, ['word']);
  await expect(wrongKind).rejects.toThrow(UserError);
  await expect(wrongKind).rejects.toThrow(/every_kind\.arrows: column word is dictionary, not list-int32/);
  await reader.close();
});

it('knows names, kinds and nulls of the columns when it is compiled', () => {
  const read = (reader: TableReader) => readTyped(reader, tables.gram, ['step', 'group_a', 'cosine']);
  type Gram = Awaited<ReturnType<typeof read>>['columns'];
  expectTypeOf<Gram['step']>().toEqualTypeOf<Int32Array>();
  expectTypeOf<Gram['group_a']>().toEqualTypeOf<DictionaryColumn>();
  expectTypeOf<Gram['cosine']>().toEqualTypeOf<Nullable<Float64Array>>();
  // @ts-expect-error it was not asked for
  expectTypeOf<Gram['inner']>();
  const steps = (reader: TableReader) => readTyped(reader, tables.steps, ['examples_q_qa'], ['loss']);
  type Steps = Awaited<ReturnType<typeof steps>>['columns'];
  expectTypeOf<Steps['examples_q_qa']>().toEqualTypeOf<Int32Array>();
  expectTypeOf<Steps['loss']>().toEqualTypeOf<Float64Array | null>();

  const wrong = [
    // @ts-expect-error there is no such column
    (reader: TableReader) => readTyped(reader, tables.gram, ['step', 'innr']),
    // @ts-expect-error nor later
    (reader: TableReader) => readTyped(reader, tables.gram, ['step'], ['innr']),
    // @ts-expect-error it is a column of another table
    (reader: TableReader) => readTypedBatch(reader, tables.gram, 0, ['norm2']),
    // @ts-expect-error a dictionary is no array of numbers
    (columns: Gram): Int32Array => columns.group_a,
    // @ts-expect-error a column with nulls is none either
    (columns: Gram): Float64Array => columns.cosine,
  ];
  expect(wrong).toHaveLength(5);
});
