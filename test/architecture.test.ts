import fs from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';

/** What each room may import, beside itself (docs/architecture.md). */
const allowed: Record<string, readonly string[]> = {
  data: [],
  'src/config': ['data'],
  'src/machine': [],
  'src/store': ['data', 'src/machine'],
  'src/train': ['data', 'src/config', 'src/machine', 'src/store'],
  'src/run': ['data', 'src/config', 'src/machine', 'src/store', 'src/train'],
  'src/probe': ['data', 'src/config', 'src/machine', 'src/store', 'src/train', 'src/run'],
  'src/analysis': ['data', 'src/store'],
  'src/report': ['data', 'src/store', 'src/analysis'],
  'src/export': ['data', 'src/config', 'src/store'],
  'src/cli': [
    'data',
    'src/config',
    'src/machine',
    'src/store',
    'src/train',
    'src/probe',
    'src/run',
    'src/analysis',
    'src/report',
    'src/export',
    'tui',
  ],
  tui: ['data', 'src/store', 'src/analysis', 'src/report'],
};

/** Rooms that are used without the engine: looking at a run loads no TensorFlow. */
const engineFree = [
  'data',
  'src/config',
  'src/machine',
  'src/store',
  'src/analysis',
  'src/report',
  'src/export',
  'tui',
];

function sources(folder: string): string[] {
  if (!fs.existsSync(folder)) return [];
  return fs
    .readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() && /\.tsx?$/.test(entry.name))
    .map((entry) => path.join(entry.parentPath, entry.name));
}

const roomOf = (file: string): string | undefined =>
  Object.keys(allowed).find((room) => path.normalize(file).startsWith(`${room}${path.sep}`));

/** Modules a file names in static imports and exports, and in dynamic imports. */
function importsOf(file: string): string[] {
  const text = fs.readFileSync(file, 'utf8');
  const pattern = /(?:from\s+|import\s*\(\s*|import\s+)'([^']+)'/g;
  return Array.from(text.matchAll(pattern), (match) => match[1]!);
}

test.each(Object.keys(allowed))('%s imports only the rooms below it', (room) => {
  const broken: string[] = [];
  for (const file of sources(room)) {
    for (const name of importsOf(file).filter((own) => own.startsWith('.'))) {
      const target = roomOf(path.join(path.dirname(file), name));
      if (target !== room && (target === undefined || !allowed[room]!.includes(target)))
        broken.push(`${file}: ${name}`);
    }
  }
  expect(broken).toEqual([]);
});

test.each(engineFree)('%s never imports the engine', (room) => {
  const broken = sources(room).flatMap((file) =>
    importsOf(file)
      .filter((name) => name.startsWith('@tensorflow/'))
      .map((name) => `${file}: ${name}`),
  );
  expect(broken).toEqual([]);
});

test('the command line prints through output.ts alone, which knows of closed streams and of hostile text', () => {
  const broken = sources('src/cli').filter(
    (file) =>
      !file.endsWith('output.ts') &&
      /console\.\w+\(|process\.(?:stdout|stderr)\.write/.test(fs.readFileSync(file, 'utf8')),
  );
  expect(broken).toEqual([]);
});

test('the command line loads the engine only when a command needs it', () => {
  const broken = sources('src/cli').flatMap((file) => {
    const text = fs.readFileSync(file, 'utf8');
    const pattern = /^import (?!type)[^;]*?from '([^']+)';/gms;
    return Array.from(text.matchAll(pattern), (match) => match[1]!)
      .filter((name) => /\/(train|probe|run)\//.test(name) && !/engine\/(names|setup\/index)\.js$/.test(name))
      .map((name) => `${file}: ${name}`);
  });
  expect(broken).toEqual([]);
});
