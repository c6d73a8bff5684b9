import fs from 'node:fs';
import { tableFromIPC } from 'apache-arrow';
import * as fc from 'fast-check';
import { describe, expect, expectTypeOf, it } from 'vitest';
import type { ListRows } from '../../src/store/list-buffers.js';
import { finalizeTable } from '../../src/store/finalize.js';
import { readColumns } from '../../src/store/read-columns.js';
import { tables } from '../../src/store/tables/registry.js';
import { TableReader } from '../../src/store/table-reader.js';
import { readTyped, readTypedBatch } from '../../src/store/typed-table.js';
import { TableWriter } from '../../src/store/table-writer.js';
import {
  dimensions,
  everyKind,
  fill,
  fillGradients,
  gradientsWriter,
  plainRows,
  range,
  rowsOf,
  temporaryFolder,
} from './support.js';
import type { Row } from './support.js';

const int32 = fc.integer({ min: -2147483647, max: 2147483647 });
const float64 = fc.double({ noNaN: true });
const float32 = fc.float({ noNaN: true });
const rowOf: fc.Arbitrary<Row> = fc.record({
  i32: int32,
  i32_null: fc.option(int32),
  f64: float64,
  f64_null: fc.option(float64),
  f32: float32,
  f32_null: fc.option(float32),
  flag: fc.boolean(),
  text: fc.string({ unit: 'grapheme' }),
  word: fc.constantFrom('zero', 'one', 'zwei', '三'),
  triple: fc.array(fc.float(), { minLength: 3, maxLength: 3 }),
  f32s: fc.array(fc.float()),
  i32s: fc.array(fc.integer()),
  f64s: fc.array(fc.double()),
});
const batchesOf = fc.array(fc.array(rowOf, { maxLength: 20 }), { maxLength: 4 });

function write(folder: string, batches: readonly Row[][]): void {
  const writer = TableWriter.create({ folder, table: everyKind, dimensions });
  for (const rows of batches) {
    fill(writer, rows);
    writer.flush();
  }
  writer.close();
}

describe('a table of every kind of column', () => {
  it('reads as it was written, from the stream and from the file', async () => {
    await fc.assert(
      fc.asyncProperty(batchesOf, async (batches) => {
        const folder = temporaryFolder();
        write(folder, batches);
        expect(await rowsOf(folder, 'every_kind')).toEqual(batches.flat());
        await finalizeTable(folder, 'every_kind');
        expect(await rowsOf(folder, 'every_kind')).toEqual(batches.flat());
      }),
      { numRuns: 60 },
    );
  });

  it('reads column by column what it reads batch by batch', async () => {
    await fc.assert(
      fc.asyncProperty(
        batchesOf,
        fc.subarray(Object.keys(everyKind.columns), { minLength: 1 }),
        fc.nat(4),
        async (batches, names, from) => {
          const folder = temporaryFolder();
          write(folder, batches);
          const reader = await TableReader.open(folder, 'every_kind');
          const set = await readColumns(reader, names, { from });
          await reader.close();
          const rows = batches.filter((batch) => batch.length > 0).slice(from);
          const picked = rows
            .flat()
            .map((row) => Object.fromEntries(Object.entries(row).filter(([name]) => names.includes(name))));
          expect(plainRows(set)).toEqual(picked);
        },
      ),
      { numRuns: 40 },
    );
  });

  it('reads the same with apache-arrow', () => {
    fc.assert(
      fc.property(batchesOf, (batches) => {
        const folder = temporaryFolder();
        write(folder, batches);
        const table = tableFromIPC(fs.readFileSync(`${folder}/every_kind.arrows`));
        const rows = batches.flat();
        expect(table.numRows).toBe(rows.length);
        for (const name of [
          'i32',
          'i32_null',
          'f64',
          'f64_null',
          'f32_null',
          'flag',
          'text',
          'word',
        ] as const) {
          expect([...(table.getChild(name) ?? [])], name).toEqual(rows.map((row) => row[name]));
        }
        expect([...(table.getChild('f64s') ?? [])].map((list: Iterable<number>) => [...list])).toEqual(
          rows.map((row) => row.f64s),
        );
      }),
      { numRuns: 20 },
    );
  });

  it('keeps large lists apart from the small columns next to them', async () => {
    const folder = temporaryFolder();
    const writer = TableWriter.create({ folder, table: tables.vectors, dimensions, batchBytes: 2 ** 20 });
    const chunk = Float32Array.from({ length: 100_000 }, (_, i) => i / 4);
    for (const step of range(1, 5)) {
      const row = writer.reserve(1);
      for (const name of ['stage', 'group', 'tensor', 'chunk', 'offset'] as const)
        writer.column(name)[row] = 0;
      writer.column('step')[row] = step;
      writer.column('values').push(chunk.map((value) => value + step));
    }
    writer.close();
    const reader = await TableReader.open(folder, 'vectors');
    expect(reader.batches.map((batch) => batch.rows)).toEqual([3, 2]);
    const { columns } = await readTyped(reader, tables.vectors, ['step', 'chunk', 'values']);
    expect([...columns.step]).toEqual([1, 2, 3, 4, 5]);
    const { offsets, values } = columns.values;
    expect([...offsets]).toEqual([0, 1, 2, 3, 4, 5].map((i) => i * 100_000));
    for (const step of range(1, 5)) expect(values[(step - 1) * 100_000 + 99_999]).toBe(99_999 / 4 + step);
    await reader.close();
  });
});

describe('a table without rows', () => {
  it.each(Object.values(tables))('$name is readable from its first moment on', async (table) => {
    const folder = temporaryFolder();
    const writer = TableWriter.create({ folder, table, dimensions });
    const reader = await TableReader.open(folder, table.name, 'stream');
    expect(reader.rows).toBe(0);
    expect(reader.truncated).toBeNull();
    expect(reader.columns.filter((column) => column.kind === 'dictionary')).toSatisfy(
      (found: { values: string[] }[]) => found.every((column) => column.values.length > 0),
    );
    await reader.close();
    writer.close();
    expect(tableFromIPC(fs.readFileSync(writer.path)).numRows).toBe(0);
    expect(await finalizeTable(folder, table.name)).toMatchObject({ rows: 0, batches: 0 });
    expect(await rowsOf(folder, table.name)).toEqual([]);
  });
});

describe('the types of the columns', () => {
  it('follow from the registry', () => {
    const writer = gradientsWriter(temporaryFolder());
    expectTypeOf(writer.column('norm2')).toEqualTypeOf<Float64Array>();
    expectTypeOf(writer.column('group')).toEqualTypeOf<Int32Array>();
    // @ts-expect-error there is no such column
    expect(() => writer.column('norm3')).toThrow('table gradients has no column norm3');
    expectTypeOf<TableWriter<typeof tables.steps>['column']>().toBeCallableWith('examples_q_qa');
    const vectors = TableWriter.create({ folder: temporaryFolder(), table: tables.vectors, dimensions });
    expectTypeOf(vectors.column('values')).toEqualTypeOf<ListRows<Float32Array>>();
  });
});

describe('nulls', () => {
  it('lie under NaN and carry their place', async () => {
    const folder = temporaryFolder();
    const writer = gradientsWriter(folder);
    fillGradients(writer, range(1, 10));
    writer.close();
    const reader = await TableReader.open(folder, 'gradients');
    const { columns } = await readTypedBatch(reader, tables.gradients, 0, ['example_norm2']);
    const view = columns.example_norm2;
    expect(range(0, 10).map((row) => (view.isNull(row) ? 0 : 1))).toEqual([0, 1, 0, 1, 0, 1, 0, 1, 0, 1]);
    expect([...view.values]).toEqual([
      Number.NaN,
      2,
      Number.NaN,
      4,
      Number.NaN,
      6,
      Number.NaN,
      8,
      Number.NaN,
      10,
    ]);
    await reader.close();
  });
});
