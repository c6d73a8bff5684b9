import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { blocks, definitions, namesFile, pages, writtenNames, writtenPage } from '../scripts/definitions.js';
import { readProject } from './support/project.js';
import { float64, type TableDefinition } from '../src/store/columns.js';

const stale = 'is not what the definitions say; write it with: npm run docs';

describe('lists of tables, probes, studies, views and keys', () => {
  test.each(pages)('%s has what the definitions say', async (page) => {
    const text = fs.readFileSync(page, 'utf8');
    expect(text === (await writtenPage(page, text, definitions)), `${page} ${stale}`).toBe(true);
  });

  test('src/cli/names.ts has the names that there are', async () => {
    const text = fs.readFileSync(namesFile, 'utf8');
    expect(text === (await writtenNames(definitions)), `${namesFile} ${stale}`).toBe(true);
  });

  test('every block is on a page, and a change of a definition is seen', async () => {
    const shown = pages.map((page) => fs.readFileSync(page, 'utf8'));
    for (const name of Object.keys(blocks(definitions)))
      expect(shown.filter((text) => text.includes(`<!-- generated: ${name} -->`)).length, name).toBe(1);
    const [page] = pages;
    const steps = { ...definitions.tables.steps!, row: 'one thing' };
    const changed = { ...definitions, tables: { ...definitions.tables, steps } };
    expect(await writtenPage(page, shown[0]!, changed)).not.toBe(shown[0]);
    await expect(
      writtenPage(page, '<!-- generated: nothing -->\n<!-- end -->\n', definitions),
    ).rejects.toThrow('no block nothing; there are tables,');
  });

  test('every table of a run says when it is written, every probe has its tables in the registry', () => {
    const all = Object.values(definitions.tables);
    for (const table of all) expect(table.when, table.name).toBeTruthy();
    const names = all.map(({ name }) => name);
    for (const probe of definitions.probes)
      for (const table of probe.tables) expect(names).toContain(table.name);
  });

  test('help texts name all of them', () => {
    const help = (...words: string[]): string =>
      execFileSync(process.execPath, ['--import', 'tsx', 'src/cli/main.ts', ...words, '--help'], {
        encoding: 'utf8',
      });
    const [probe, show] = [help('probe'), help('show').replaceAll(/\s+/g, ' ')];
    for (const { name, tables } of definitions.probes) {
      expect(probe).toMatch(
        new RegExp(`^ {2}${name} +${tables.map((table) => table.name).join(', ')}$`, 'm'),
      );
    }
    expect(show).toContain(`${definitions.views.map(({ id }) => id).join(', ')} (default`);
  });
});

describe('a study that is added', () => {
  test('comes into every list from its lines in the registries', async () => {
    const table: TableDefinition = {
      name: 'toy_rows',
      row: 'one toy',
      when: 'every day',
      columns: { wobble: float64('How it wobbles.', { unit: 'toy' }) },
    };
    const more = {
      tables: { ...definitions.tables, toy_rows: table },
      probes: [...definitions.probes, { name: 'toy', tables: [table] }],
      studies: [
        ...definitions.studies,
        {
          sections: [
            {
              id: 'toy',
              title: 'Toys',
              quantities: [{ id: 'wobble', label: 'wobble of toys', unit: 'toy', null: null }],
              measure: () => Promise.resolve(null),
            },
          ],
          claims: [
            {
              id: 'toyWobbles',
              claim: 'toys wobble',
              quantity: 'toy.wobble',
              predicted: 'positive' as const,
            },
          ],
        },
      ],
      views: [
        ...definitions.views,
        { id: 'toys', short: 'toys', question: 'Do toys wobble?', load: () => Promise.reject(new Error()) },
      ],
    };
    const written = blocks(more);
    expect(written['probe-tables']).toContain('| `toy_rows` | toy | every day | `toy` |');
    expect(written['probe-tables']).toContain('| `wobble` | float64 | toy | How it wobbles. |');
    expect(written.sections).toContain('| `toy.wobble` | wobble of toys | toy |  |');
    expect(written.claims).toContain('| `toyWobbles` | toys wobble | `toy.wobble` | above its null | no |');
    expect(written.views).toContain('|  | `toys` | Do toys wobble? |');
    expect(await writtenNames(more)).toContain("{ name: 'toy', tables: ['toy_rows'] }");
  });

  test('is named in three files and three registries, and by its screen: nothing else names the drift of epochs', () => {
    const named = ['data', 'src', 'tui', 'scripts']
      .flatMap((room) =>
        fs.readdirSync(room, { recursive: true, encoding: 'utf8' }).map((file) => path.join(room, file)),
      )
      .filter(
        (file) => /\.(?:tsx?|mjs)$/.test(file) && /epoch[-_]?drift/i.test(fs.readFileSync(file, 'utf8')),
      )
      .map((file) => file.replaceAll(path.sep, '/'))
      .filter((file) => file !== namesFile);
    expect(named.toSorted()).toEqual([
      ...['src/analysis/studies', 'src/probe', 'src/store/tables'].flatMap((room) => [
        `${room}/epoch-drift.ts`,
        `${room}/registry.ts`,
      ]),
      // Its screen is a panel of the view that holds it.
      'tui/views/epoch-drift.ts',
      'tui/views/variance.ts',
    ]);
  });
});

test('the ways of docs/architecture.md are as long as they say, and imports join their files', () => {
  const page = fs.readFileSync('docs/architecture.md', 'utf8');
  const text = page.slice(page.indexOf('## Where does this number come from'));
  const ways = Array.from(text.matchAll(/^\*\*(.+)\*\* \((\d+) files\)\n\n((?:\|.*\n)+)/gm));
  expect(ways).toHaveLength(3);
  const project = readProject('tsconfig.json');
  for (const [, way, count, rows] of ways) {
    const files = Array.from(rows!.matchAll(/^\| `([^`]+)`/gm), (match) => match[1]!);
    expect(files.length, way).toBe(Number(count));
    expect(new Set(files).size, way).toBe(files.length);
    for (const file of files) expect(project.files, way).toContain(file);
    const mayPass = [...files, ...project.files.filter((file) => file.endsWith('/registry.ts'))];
    const joined = (one: string, other: string): boolean =>
      project.importsOf(one).includes(other) || project.importsOf(other).includes(one);
    const reached = new Set(files.slice(0, 1));
    for (const file of reached) for (const next of mayPass) if (joined(file, next)) reached.add(next);
    expect(
      files.filter((file) => !reached.has(file)),
      way,
    ).toEqual([]);
  }
});

test('docs/scaling.md lists the environment variables that the program and its scripts read, and no other', () => {
  const files = ['data', 'src', 'scripts', 'tui'].flatMap((folder) =>
    fs
      .readdirSync(folder, { withFileTypes: true, recursive: true })
      .filter((entry) => entry.isFile() && /\.(?:tsx?|mjs)$/.test(entry.name))
      .map((entry) => path.join(entry.parentPath, entry.name)),
  );
  const read = files.flatMap((file) => fs.readFileSync(file, 'utf8').match(/\bGRADSCOPE_[A-Z_]+\b/g) ?? []);
  const page = fs.readFileSync('docs/scaling.md', 'utf8');
  const listed = Array.from(page.matchAll(/^\| `(GRADSCOPE_[A-Z_]+)`/gm), ([, name]) => name!);
  expect(listed.toSorted()).toEqual([...new Set(read)].toSorted());
});
