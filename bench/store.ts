/**
 * The store: writing vectors and small batches, opening and reading big tables.
 *
 *     npx tsx bench/store.ts [folder on the device to measure] [batches]
 *
 * Needs some GB of room.
 */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { finalizeTable } from '../src/store/finalize.js';
import { readColumns } from '../src/store/read-columns.js';
import { tables } from '../src/store/tables/registry.js';
import { TableReader } from '../src/store/table-reader.js';
import { TableWriter } from '../src/store/table-writer.js';
import { dimensions } from '../test/store/samples.js';

const [, , device = os.tmpdir(), batches = '12000'] = process.argv;
const root = fs.mkdtempSync(path.join(device, 'gradscope-bench-'));
const tensors = Array.from({ length: 40 }, (_, i) => `h.${i}.mlp`);
const wide = { ...dimensions, tensors, sketchSize: 256 };
const megabytes = (bytes: number): string => (bytes / 1e6).toFixed(0);
const memory = (): string => `RSS ${megabytes(process.memoryUsage.rss())} MB`;

async function timed<T>(what: string, work: () => T | Promise<T>): Promise<T> {
  const started = performance.now();
  const result = await work();
  console.log(`${what}: ${(performance.now() - started).toFixed(1)} ms, ${memory()}`);
  return result;
}

function writeVectors(folder: string): void {
  const writer = TableWriter.create({ folder, table: tables.vectors, dimensions: wide });
  const values = new Float32Array(2 ** 20).map((_, i) => i);
  const started = performance.now();
  for (let step = 0; step < 256; step++) {
    const row = writer.reserve(1);
    for (const name of ['stage', 'group', 'tensor', 'chunk', 'offset'] as const) writer.column(name)[row] = 0;
    writer.column('step')[row] = step;
    writer.column('values').push(values);
    writer.flush();
  }
  const seconds = (performance.now() - started) / 1000;
  const { byteOffset } = writer;
  writer.close();
  console.log(`vectors: ${megabytes(byteOffset)} MB at ${megabytes(byteOffset / seconds)} MB/s, ${memory()}`);
}

function writeGradients(folder: string): void {
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
  times.sort((a, b) => a - b);
  const at = (quantile: number): string => (times[Math.floor(quantile * times.length)] ?? 0).toFixed(3);
  const { byteOffset } = writer;
  writer.close();
  console.log(
    `gradients: flush of 2000 rows ${at(0.5)} ms (median), ${at(0.99)} ms (99 %), ${megabytes(byteOffset)} MB, ${memory()}`,
  );
}

async function read(folder: string, table: string, names: readonly string[]): Promise<void> {
  const { format, batches, rows } = await timed(`${table}: open`, async () => {
    const opened = await TableReader.open(folder, table);
    await opened.close();
    return opened;
  });
  console.log(`  ${format} of ${batches.length} batches, ${rows} rows`);
  const reader = await TableReader.open(folder, table);
  await timed('  refresh without news', () => reader.refresh());
  await timed('  one batch', () => reader.readBatch(Math.floor(reader.batches.length / 2)));
  await timed(`  columns ${names.join(', ')}`, () => readColumns(reader, names));
  await reader.close();
}

function writeSmall(): void {
  const writers = Array.from({ length: 16 }, (_, i) => {
    fs.mkdirSync(`${root}/${i}`);
    return TableWriter.create({ folder: `${root}/${i}`, table: tables.gram, dimensions: wide });
  });
  const started = performance.now();
  for (let step = 0; step < 500; step++) {
    for (const writer of writers) {
      const row = writer.reserve(1);
      for (const name of ['stage', 'step', 'tensor', 'group_a', 'group_b'] as const)
        writer.column(name)[row] = 1;
      writer.column('inner')[row] = 1;
      writer.flush();
    }
  }
  const each = (performance.now() - started) / 500 / 16;
  console.log(`flush of one row, 16 folders in turn: ${(1000 * each).toFixed(0)} us`);
  for (const writer of writers) writer.close();
}

try {
  for (const folder of ['warm', 'vectors', 'gradients']) fs.mkdirSync(`${root}/${folder}`);
  writeVectors(`${root}/warm`);
  fs.rmSync(`${root}/warm`, { recursive: true });
  writeVectors(`${root}/vectors`);
  writeGradients(`${root}/gradients`);
  writeSmall();
  for (const [table, names] of [
    ['vectors', ['step', 'group', 'tensor']],
    ['gradients', ['step', 'norm2']],
  ] as const) {
    await read(`${root}/${table}`, table, names);
    await timed(`${table}: finalize`, () => finalizeTable(`${root}/${table}`, table));
    await read(`${root}/${table}`, table, names);
  }
} finally {
  fs.rmSync(root, { recursive: true });
}
