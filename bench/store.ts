/**
 * The store against apache-arrow for JavaScript and against plain bytes of the same files: writing vectors and small
 * batches, reading columns, copying a stream into a file. They take turns in every round.
 *
 *     npx tsx bench/store.ts [--quick] [folder on the device to measure] [batches]
 *
 * Needs some GB of room, without --quick.
 */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { tableFromIPC, tableToIPC } from 'apache-arrow';
import { finalizeTable } from '../src/store/finalize.js';
import { readColumns } from '../src/store/read-columns.js';
import { filePath, streamPath } from '../src/store/table-paths.js';
import { tables } from '../src/store/tables/registry.js';
import { TableReader } from '../src/store/table-reader.js';
import { TableWriter } from '../src/store/table-writer.js';
import { dimensions } from '../test/store/samples.js';
import { median, printTable, takeTurns } from './support.js';

const places = process.argv.slice(2).filter((word) => !word.startsWith('-'));
const isQuick = process.argv.includes('--quick');
const [device = os.tmpdir(), batches = isQuick ? '200' : '2000'] = places;
const rounds = 5;
const root = fs.mkdtempSync(path.join(device, 'gradscope-bench-'));
const tensors = Array.from({ length: 40 }, (_, i) => `h.${i}.mlp`);
const wide = { ...dimensions, tensors, sketchSize: 256 };

const names = ['vectors', 'gradients'] as const;
type Name = (typeof names)[number];

/** Columns that are read of a table. */
const wanted: Readonly<Record<Name, readonly string[]>> = {
  vectors: ['step', 'values'],
  gradients: ['step', 'norm2'],
};

/** Milliseconds that a piece of work takes. */
async function timed(work: () => unknown): Promise<number> {
  const started = performance.now();
  await work();
  return performance.now() - started;
}

let folders = 0;
function newFolder(): string {
  const folder = path.join(root, String(folders++));
  fs.mkdirSync(folder);
  return folder;
}

/** Milliseconds of each flush; what is filled between them is not counted. */
const writers: Readonly<Record<Name, (folder: string) => number[]>> = {
  vectors: (folder) => {
    const writer = TableWriter.create({ folder, table: tables.vectors, dimensions: wide });
    const values = new Float32Array(2 ** 20).map((_, i) => i);
    const times: number[] = [];
    for (let step = 0; step < (isQuick ? 8 : 64); step++) {
      const row = writer.reserve(1);
      for (const name of ['stage', 'group', 'tensor', 'chunk', 'offset'] as const)
        writer.column(name)[row] = 0;
      writer.column('step')[row] = step;
      writer.column('values').push(values);
      const started = performance.now();
      writer.flush();
      times.push(performance.now() - started);
    }
    writer.close();
    return times;
  },
  gradients: (folder) => {
    const writer = TableWriter.create({ folder, table: tables.gradients, dimensions: wide, batchRows: 2000 });
    const times: number[] = [];
    for (let step = 0; step < Number(batches); step++) {
      const first = writer.reserve(2000);
      const [stage, steps, group] = [writer.column('stage'), writer.column('step'), writer.column('group')];
      const [tensor, norm2] = [writer.column('tensor'), writer.column('norm2')];
      const examples = writer.column('example_norm2');
      for (let row = first; row < first + 2000; row++) {
        stage[row] = 0;
        steps[row] = step;
        group[row] = row % 4;
        tensor[row] = row % 41;
        norm2[row] = row * step;
        examples[row] = row % 3 === 0 ? row : Number.NaN;
      }
      const started = performance.now();
      writer.flush();
      times.push(performance.now() - started);
    }
    writer.close();
    return times;
  },
};

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);

/** Reads columns, as a view or an analysis does. */
async function read(folder: string, name: Name): Promise<void> {
  const reader = await TableReader.open(folder, name);
  await readColumns(reader, wanted[name]);
  await reader.close();
}

/** The same by apache-arrow, which takes whole files. */
function readByArrow(file: string, name: Name): number {
  const table = tableFromIPC(fs.readFileSync(file));
  return wanted[name].reduce((count, column) => {
    const vector = table.getChild(column);
    return count + (column === 'values' ? (vector?.data.length ?? 0) : (vector?.toArray().length ?? 0));
  }, 0);
}

const flushes: number[] = [];

/** Milliseconds by side: this store, apache-arrow, and plain bytes. */
type Sides = Readonly<Record<'ours' | 'arrow' | 'plain', () => Promise<number>>>;

/** Operations on a table, each by the sides that take turns: milliseconds. */
async function operations(name: Name): Promise<string[][]> {
  const sample = newFolder();
  writers[name](sample);
  const stream = streamPath(sample, name);
  const bytes = fs.readFileSync(stream);
  const table = tableFromIPC(bytes);
  const whole = newFolder();
  fs.copyFileSync(stream, streamPath(whole, name));
  await finalizeTable(whole, name);
  const file = filePath(whole, name);
  /** In a folder that goes when the work is timed. */
  const inFolder = async (work: (folder: string) => number | Promise<number>): Promise<number> => {
    const folder = newFolder();
    const took = await work(folder);
    fs.rmSync(folder, { recursive: true });
    return took;
  };
  const plainWrite = (): Promise<number> =>
    inFolder((folder) => timed(() => fs.writeFileSync(path.join(folder, 'bytes'), bytes)));
  const turns: [string, Sides][] = [
    [
      'write',
      {
        ours: () =>
          inFolder((folder) => {
            const times = writers[name](folder);
            if (name === 'gradients') flushes.push(...times);
            return sum(times);
          }),
        arrow: () =>
          inFolder((folder) =>
            timed(() => fs.writeFileSync(path.join(folder, 'arrow'), tableToIPC(table, 'stream'))),
          ),
        plain: plainWrite,
      },
    ],
    ...(
      [
        ['read from the stream', sample, stream],
        ['read from the file', whole, file],
      ] as const
    ).map(([what, folder, from]): [string, Sides] => [
      `${what}: ${wanted[name].join(', ')}`,
      {
        ours: () => timed(() => read(folder, name)),
        arrow: () => timed(() => readByArrow(from, name)),
        plain: () => timed(() => fs.readFileSync(from)),
      },
    ]),
    [
      'stream into file',
      {
        ours: () =>
          inFolder((folder) => {
            fs.copyFileSync(stream, streamPath(folder, name));
            return timed(() => finalizeTable(folder, name));
          }),
        arrow: () =>
          inFolder((folder) =>
            timed(() =>
              fs.writeFileSync(
                path.join(folder, 'arrow'),
                tableToIPC(tableFromIPC(fs.readFileSync(stream)), 'file'),
              ),
            ),
          ),
        plain: plainWrite,
      },
    ],
  ];
  const rows: string[][] = [];
  for (const [what, sides] of turns) {
    const { ours, arrow, plain } = await takeTurns(rounds, sides);
    const times = (peer: readonly number[]): string =>
      median(ours.map((own, round) => own / peer[round]!)).toFixed(2);
    rows.push([
      `${name}, ${(bytes.length / 1e6).toFixed(0)} MB: ${what}`,
      median(ours).toFixed(1),
      (bytes.length / 1e3 / median(ours)).toFixed(0),
      times(arrow),
      times(plain),
    ]);
  }
  fs.rmSync(sample, { recursive: true });
  fs.rmSync(whole, { recursive: true });
  return rows;
}

/** Microseconds of a flush of one row, in 16 folders in turn, and of a plain append of as many bytes. */
async function smallFlushes(): Promise<string[]> {
  const steps = isQuick ? 50 : 500;
  const writers = Array.from({ length: 16 }, () =>
    TableWriter.create({ folder: newFolder(), table: tables.gram, dimensions: wide }),
  );
  const files = writers.map(() => fs.openSync(path.join(newFolder(), 'bytes'), 'a'));
  const size = { bytes: 0 };
  const { ours, plain } = await takeTurns(rounds, {
    ours: () =>
      timed(() => {
        const before = writers[0]!.byteOffset;
        for (let step = 0; step < steps; step++) {
          for (const writer of writers) {
            const row = writer.reserve(1);
            for (const name of ['stage', 'step', 'tensor', 'group_a', 'group_b'] as const)
              writer.column(name)[row] = 1;
            writer.column('inner')[row] = 1;
            writer.flush();
          }
        }
        size.bytes = Math.round((writers[0]!.byteOffset - before) / steps);
      }),
    plain: () => {
      const row = new Uint8Array(size.bytes);
      return timed(() => {
        for (let step = 0; step < steps; step++) for (const file of files) fs.writeSync(file, row);
      });
    },
  });
  for (const writer of writers) writer.close();
  for (const file of files) fs.closeSync(file);
  const ratio = median(ours.map((own, round) => own / plain[round]!));
  return [
    'gram: a flush of one row, 16 folders in turn',
    (median(ours) / steps / 16).toFixed(3),
    '',
    '',
    ratio.toFixed(2),
  ];
}

try {
  const rows: string[][] = [];
  for (const name of names) rows.push(...(await operations(name)));
  rows.push(await smallFlushes());
  printTable(
    `Arrow tables, medians of ${rounds} rounds in which the sides take turns; without what fills rows`,
    ['', 'ms', 'MB/s', 'of apache-arrow', 'of plain bytes'],
    rows,
  );
  flushes.sort((a, b) => a - b);
  const at = (quantile: number): string => (flushes[Math.floor(quantile * flushes.length)] ?? NaN).toFixed(3);
  console.log(`gradients: a flush of 2000 rows ${at(0.5)} ms (median), ${at(0.99)} ms (99 %)`);
} finally {
  fs.rmSync(root, { recursive: true });
}
