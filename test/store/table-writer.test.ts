import fs from 'node:fs';
import { describe, expect, it } from 'vitest';
import { UserError } from '../../data/errors.js';
import { tables } from '../../src/store/tables/registry.js';
import { TableWriter } from '../../src/store/table-writer.js';
import {
  dimensions,
  everyKind,
  fillGradients,
  gradientsWriter,
  range,
  rowsOf,
  temporaryFolder,
} from './support.js';

describe('TableWriter', () => {
  it('writes a batch when there are rows enough for one, and when it is told to', () => {
    const writer = gradientsWriter(temporaryFolder(), { batchRows: 10 });
    const empty = writer.byteOffset;
    fillGradients(writer, range(1, 9));
    writer.flushIfFull();
    expect([writer.rowsWritten, writer.rowsPending, writer.byteOffset]).toEqual([0, 9, empty]);
    fillGradients(writer, range(10, 4));
    expect([writer.rowsWritten, writer.rowsPending]).toEqual([0, 13]);
    fillGradients(writer, [14]);
    expect([writer.rowsWritten, writer.rowsPending]).toEqual([13, 1]);
    expect(fs.statSync(writer.path).size).toBe(writer.byteOffset);
    writer.flush();
    writer.flush();
    expect([writer.rowsWritten, writer.rowsPending]).toEqual([14, 0]);
    writer.close();
  });

  it('writes a batch when it has bytes enough for one', () => {
    const writer = TableWriter.create({
      folder: temporaryFolder(),
      table: tables.events,
      dimensions,
      batchBytes: 1000,
    });
    for (let i = 0; i < 3; i++) {
      const row = writer.reserve(1);
      writer.column('step')[row] = i;
      writer.column('time')[row] = i;
      writer.column('kind')[row] = 0;
      writer.column('message')[row] = 'x'.repeat(600);
    }
    expect(writer.rowsWritten).toBe(2);
    writer.close();
  });

  it('writes what the arrays held at the flush, whatever happens to them later', async () => {
    const folder = temporaryFolder();
    const writer = gradientsWriter(folder);
    for (const step of range(1, 3)) {
      fillGradients(writer, [step]);
      writer.flush();
      writer.column('norm2').fill(-1);
    }
    writer.close();
    expect((await rowsOf(folder, 'gradients')).map((row) => row['norm2'])).toEqual([1 / 8, 2 / 8, 3 / 8]);
  });

  it('names table, column and row of a NaN where no null may be, and keeps the rows', async () => {
    const folder = temporaryFolder();
    const writer = gradientsWriter(folder);
    fillGradients(writer, range(1, 5));
    writer.flush();
    fillGradients(writer, range(6, 5));
    writer.column('norm2')[3] = Number.NaN;
    const before = writer.byteOffset;
    expect(() => writer.flush()).toThrow(
      'table gradients, column norm2, row 8: NaN, or not set, in a column without nulls',
    );
    expect([writer.byteOffset, writer.rowsPending]).toEqual([before, 5]);
    writer.column('norm2')[3] = 1;
    writer.close();
    expect(await rowsOf(folder, 'gradients')).toHaveLength(10);
  });

  it.each([
    ['i32', /column i32, row 0: -2147483648, which marks a value that was not set/],
    ['f64', /column f64, row 0: NaN, or not set/],
    ['f32', /column f32, row 0: NaN, or not set/],
    ['flag', /column flag, row 0: 255, not set or not 0 or 1/],
    ['text', /column text, row 0: the text was not set/],
    ['word', /column word, row 0: index -1, not set or not below 4/],
    ['f32s', /column f32s, row 0: 0 lists were appended for 1 rows/],
    ['f64s', /column f64s, row 0: 0 lists were appended for 1 rows/],
  ] as const)('notices that %s was not set', (missing, message) => {
    const writer = TableWriter.create({ folder: temporaryFolder(), table: everyKind, dimensions });
    const row = writer.reserve(1);
    if (missing !== 'i32') writer.column('i32')[row] = 1;
    if (missing !== 'f64') writer.column('f64')[row] = 1;
    if (missing !== 'f32') writer.column('f32')[row] = 1;
    if (missing !== 'flag') writer.column('flag')[row] = 1;
    if (missing !== 'text') writer.column('text')[row] = '';
    if (missing !== 'word') writer.column('word')[row] = 1;
    if (missing !== 'f32s') writer.column('f32s').push(new Float32Array());
    if (missing !== 'f64s') writer.column('f64s').push(new Float64Array());
    writer.column('i32s').extend(0);
    expect(() => writer.flush()).toThrow(message);
    writer.discard();
    expect(writer.rowsPending).toBe(0);
    writer.close();
  });

  it('refuses an index outside the dictionary and a value that is not in it', () => {
    const writer = gradientsWriter(temporaryFolder());
    fillGradients(writer, [1]);
    writer.column('tensor')[0] = 4;
    expect(() => writer.flush()).toThrow(
      'table gradients, column tensor, row 0: index 4, not set or not below 4',
    );
    expect(writer.indexOf('tensor', 'total')).toBe(0);
    expect(() => writer.indexOf('tensor', 'h.1.attn')).toThrow(
      "table gradients, column tensor: 'h.1.attn' is not in the dictionary",
    );
    writer.discard();
    writer.close();
  });

  it('takes infinities', async () => {
    const folder = temporaryFolder();
    const writer = gradientsWriter(folder);
    fillGradients(writer, [1]);
    writer.column('norm2')[0] = Number.POSITIVE_INFINITY;
    writer.close();
    expect((await rowsOf(folder, 'gradients'))[0]?.['norm2']).toBe(Number.POSITIVE_INFINITY);
  });

  it('does not write over a table', () => {
    const folder = temporaryFolder();
    gradientsWriter(folder).close();
    expect(() => gradientsWriter(folder)).toThrow(UserError);
    expect(() => gradientsWriter(folder)).toThrow(
      /gradients\.arrows: the table exists already; resume the run or take another run folder/,
    );
    fs.renameSync(`${folder}/gradients.arrows`, `${folder}/gradients.arrow`);
    expect(() => gradientsWriter(folder)).toThrow(/gradients\.arrow: the table exists already/);
    expect(() => gradientsWriter(`${folder}/missing`)).toThrow(/cannot be created \(ENOENT/);
  });

  it('cannot be used after it was closed', () => {
    const writer = gradientsWriter(temporaryFolder());
    writer.close();
    writer.close();
    fillGradients(writer, [1]);
    expect(() => writer.flush()).toThrow(/gradients\.arrows is closed/);
  });
});
