import fs from 'node:fs';
import { tableFromIPC } from 'apache-arrow';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Dimensions, TableDefinition } from '../../src/store/columns.js';
import * as columns from '../../src/store/columns.js';
import { finalizeTable } from '../../src/store/finalize.js';
import { tables } from '../../src/store/tables/registry.js';
import { TableWriter } from '../../src/store/table-writer.js';
import { polars } from './polars.js';
import { dimensions, fillGradients, gradientsWriter, range, rowsOf, temporaryFolder } from './support.js';

function resume(folder: string, byteOffset: number, change: Partial<Dimensions> = {}) {
  const all = { ...dimensions, ...change };
  return TableWriter.resume({ folder, table: tables.gradients, dimensions: all, byteOffset });
}

/** Write 20 rows per batch; gives the offset behind each batch. */
function writeBatches(folder: string, batches: number): number[] {
  const writer = gradientsWriter(folder);
  const offsets = [writer.byteOffset];
  for (let i = 0; i < batches; i++) {
    fillGradients(writer, range(20 * i, 20));
    writer.flush();
    offsets.push(writer.byteOffset);
  }
  writer.close();
  return offsets;
}

describe('TableWriter.resume', () => {
  it('goes on with the bytes that an uninterrupted run writes', () => {
    fc.assert(
      fc.property(fc.nat(6), fc.nat(4000), (checkpoint, lost) => {
        const [whole, cut] = [temporaryFolder(), temporaryFolder()];
        const offsets = writeBatches(whole, 6);
        const path = `${cut}/gradients.arrows`;
        fs.copyFileSync(`${whole}/gradients.arrows`, path);
        const at = offsets[checkpoint] ?? 0;
        // The crash came somewhere behind the checkpoint.
        fs.truncateSync(path, Math.max(at, fs.statSync(path).size - lost));
        const writer = resume(cut, at);
        expect([writer.rowsWritten, writer.byteOffset]).toEqual([20 * checkpoint, at]);
        expect(fs.statSync(path).size).toBe(at);
        for (let i = checkpoint; i < 6; i++) {
          fillGradients(writer, range(20 * i, 20));
          writer.flush();
        }
        writer.close();
        expect(fs.readFileSync(path).equals(fs.readFileSync(`${whole}/gradients.arrows`))).toBe(true);
      }),
      { numRuns: 40 },
    );
  });

  it('counts rows from the checkpoint on in its messages', () => {
    const folder = temporaryFolder();
    const [, , second = 0] = writeBatches(folder, 3);
    const writer = resume(folder, second);
    fillGradients(writer, range(40, 3));
    writer.column('norm2')[2] = Number.NaN;
    expect(() => writer.flush()).toThrow(/row 42: NaN/);
    writer.discard();
    writer.close();
  });

  it('refuses a place where no batch ends, and leaves the stream as it is', async () => {
    const folder = temporaryFolder();
    const offsets = writeBatches(folder, 3);
    const last = offsets.at(-1) ?? 0;
    expect(() => resume(folder, last - 8)).toThrow(/no batch ends at byte/);
    expect(() => resume(folder, 3)).toThrow(/no batch ends at byte 3/);
    expect(() => resume(folder, last + 8)).toThrow(
      `it has ${last} bytes, fewer than the ${last + 8} of the checkpoint; resume it from the checkpoint and the configuration that wrote it, or start a new run`,
    );
    expect(await rowsOf(folder, 'gradients')).toHaveLength(60);
  });

  it('goes on where an earlier version knew fewer values of a list that grows', async () => {
    const of = (kinds: readonly string[]) =>
      ({
        name: 'happened',
        row: 'one event',
        when: 'always',
        columns: { step: columns.int32('Step.'), kind: columns.dictionary('What happened.', kinds) },
      }) as const satisfies TableDefinition;
    const folder = temporaryFolder();
    const before = TableWriter.create({ folder, table: of(['start', 'end']), dimensions });
    before.append({ step: 0, kind: 'start' });
    before.flush();
    const at = before.byteOffset;
    before.close();
    const now = of(['start', 'end', 'stop', 'rest']);
    // A process that was killed before its next checkpoint leaves the stream to be gone on with from the same place.
    for (const kinds of [['rest'], ['stop', 'end']]) {
      const writer = TableWriter.resume({ folder, table: now, dimensions, byteOffset: at });
      expect(writer.rowsWritten).toBe(1);
      for (const [i, kind] of kinds.entries()) writer.append({ step: i + 1, kind });
      writer.flush();
      writer.close();
    }
    const rows = [
      { step: 0, kind: 'start' },
      { step: 1, kind: 'stop' },
      { step: 2, kind: 'end' },
    ];
    expect(await rowsOf(folder, 'happened')).toEqual(rows);
    const whole = fs.readFileSync(`${folder}/happened.arrows`);
    expect(tableFromIPC(whole).getChild('kind')!.toArray()).toHaveLength(3);
    const other = of(['start', 'rest', 'end']);
    expect(() => TableWriter.resume({ folder, table: other, dimensions, byteOffset: at })).toThrow(
      /value 1 of the dictionary kind is end, not rest/,
    );
    // Other readers take a dictionary of a file in one part.
    await finalizeTable(folder, 'happened');
    expect(await rowsOf(folder, 'happened')).toEqual(rows);
    expect(polars.readIPC(fs.readFileSync(`${folder}/happened.arrow`)).toRecords()).toEqual(rows);
  });

  it('refuses a stream of another run', () => {
    const folder = temporaryFolder();
    const [, first = 0] = writeBatches(folder, 1);
    expect(() => resume(folder, first, { tensors: ['embedding', 'h.0.attn', 'h.1.mlp'] })).toThrow(
      /value 3 of the dictionary tensor is h\.0\.mlp, not h\.1\.mlp/,
    );
    expect(() => resume(folder, first, { groups: ['q/qa'] })).toThrow(
      /column 3 is group \(dictionary of 4 values\), not group \(dictionary of 2 values\)/,
    );
    const other = {
      ...tables.gradients,
      columns: { ...tables.gradients.columns, norm2: columns.int32('Norm.') },
    } as const satisfies TableDefinition;
    expect(() => TableWriter.resume({ folder, table: other, dimensions, byteOffset: first })).toThrow(
      /column 5 is norm2 \(float64\), not norm2 \(int32\)/,
    );
    const { norm2: _, ...fewer } = tables.gradients.columns;
    const shorter = { ...tables.gradients, columns: fewer };
    expect(() => TableWriter.resume({ folder, table: shorter, dimensions, byteOffset: first })).toThrow(
      /column 5 is/,
    );
    fs.renameSync(`${folder}/gradients.arrows`, `${folder}/gram.arrows`);
    expect(() => TableWriter.resume({ folder, table: tables.gram, dimensions, byteOffset: first })).toThrow(
      /it holds the table gradients, format 1, not gram, format 1/,
    );
  });

  it('refuses a table that is missing, foreign or finalized', async () => {
    const folder = temporaryFolder();
    expect(() => resume(folder, 0)).toThrow(/gradients\.arrows: the run cannot go on in this table: ENOENT/);
    fs.writeFileSync(`${folder}/gradients.arrows`, 'step,norm2\n1,2\n');
    expect(() => resume(folder, 15)).toThrow(/no batch ends at byte 15/);
    fs.rmSync(`${folder}/gradients.arrows`);
    const [, first = 0] = writeBatches(folder, 1);
    await finalizeTable(folder, 'gradients');
    expect(() => resume(folder, first)).toThrow(/a finalized table cannot be continued/);
  });
});
