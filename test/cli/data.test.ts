import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { Resvg } from '@resvg/resvg-js';
import { tableFromIPC } from 'apache-arrow';
import { afterAll, describe, expect, test } from 'vitest';
import { commandLine } from '../support/command-line.js';

const root = fs.mkdtempSync(path.join(os.tmpdir(), 'gradscope-data-'));
afterAll(() => fs.rmSync(root, { recursive: true }));

const gradscope = (...args: string[]) => commandLine(args, { env: { GRADSCOPE_ENGINE: 'cpu' } });

const smoke = ['data', 'configs/set-inclusion-smoke.yaml'];

describe('gradscope data', () => {
  test('counts what an experiment is made of, and draws examples', async () => {
    const file = path.join(root, 'examples.png');
    const { code, stdout } = await gradscope(
      'data',
      'configs/mnist-qa.yaml',
      '--out',
      file,
      '--examples',
      '2',
    );
    expect(code).toBe(0);
    expect(stdout).toMatch(/variables of qd2incons +50\n/);
    expect(stdout).toMatch(/rows of qd1consis\/qa +150\n/);
    const png = fs.readFileSync(file);
    expect(png.subarray(1, 4).toString()).toBe('PNG');
    // A row for each of six groups and four test sets; the sheet is black and white, and holds much of both.
    const [width, height] = [png.readUInt32BE(16), png.readUInt32BE(20)];
    expect(height).toBeGreaterThan(10 * 140);
    const svg = `<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" width="${width}" height="${height}"><image width="${width}" height="${height}" xlink:href="data:image/png;base64,${png.toString('base64')}"/></svg>`;
    const { pixels } = new Resvg(svg).render();
    const black = pixels.filter((value, i) => i % 4 === 0 && value < 10).length / (width * height);
    expect(black).toBeGreaterThan(0.1);
    expect(black).toBeLessThan(0.6);
  });

  test('shows texts of every group and test set, in words and tokens', async () => {
    const { code, stdout } = await gradscope(...smoke, '--examples', '3');
    expect(code).toBe(0);
    expect(stdout).toMatch(/^set-inclusion smoke, seed 0: [0-9a-f]{64}\n/);
    const headings = stdout.match(/^(?:training|test), .*$/gm);
    expect(headings).toEqual([
      'training, qd1consis/definition',
      'training, qd1consis/qa',
      'training, qd2incons/definition',
      'training, qd2incons/qa',
      'training, d1consis/definition',
      'training, d2consis/definition',
      'test, qd1consis',
      'test, qd2incons',
      'test, d1consis',
      'test, d2consis',
    ]);
    expect(stdout.match(/^ {2}define1 [a-z]{3} \| \d +9 \d+ \| \d$/gm)).toHaveLength(6);
    expect(stdout).toMatch(/^ {2}[a-z]{3} \d \d \d \| (?:true|false) .*\(wrong: (?:true|false)\)$/m);
  });

  test('all seeds that are asked for', async () => {
    for (const option of ['--seed', '--seeds']) {
      const { code, stdout } = await gradscope(...smoke, option, '1..3', '--examples', '1');
      expect(code).toBe(0);
      expect(stdout).toMatch(
        /^set-inclusion smoke, seeds 1, 2, 3\n {2}seed 1: .*\n {2}seed 2: .*\n {2}seed 3: /,
      );
      expect(stdout).toMatch(/test questions equal to a training question +\d+, \d+, \d+\n/);
    }
  });

  test('writes the rows of an experiment on text', async () => {
    const file = path.join(root, 'rows.jsonl');
    expect(await gradscope(...smoke, '--out', file)).toMatchObject({ code: 0 });
    const rows = fs
      .readFileSync(file, 'utf8')
      .trimEnd()
      .split('\n')
      .map((line): unknown => JSON.parse(line));
    // 300 definitions, 240 variables with 12 training questions, 300 with 12 test questions.
    expect(rows).toHaveLength(300 + 240 * 12 + 300 * 12);
    expect(rows[0]).toMatchObject({
      seed: 0,
      part: 'training',
      set: 'qd1consis/definition',
      variable: 0,
      contrast: null,
    });
  });

  test('writes the rows of any experiment with what each piece is, to a new file only', async () => {
    const arrow = path.join(root, 'rows.arrow');
    const first = await gradscope(...smoke, '--out', arrow);
    expect(first).toMatchObject({ code: 0 });
    expect(first.stdout).toMatch(/\n {2}padding in rows of stage1 +\d+\.\d % of their tokens\n/);
    const again = await gradscope(...smoke, '--out', arrow, '--examples', '1');
    expect(again).toMatchObject({ code: 1, stdout: '' });
    expect(again.stderr).toMatch(/rows\.arrow: is there already/);
    const table = tableFromIPC(fs.readFileSync(arrow));
    expect(table.numRows).toBe(300 + 240 * 12 + 300 * 12);
    const row = (table.get(0) as { toJSON(): Record<string, unknown> }).toJSON();
    expect(row).toMatchObject({ part: 'training', set: 'qd1consis/definition', variable: 0 });
    expect(JSON.parse(JSON.stringify(row['kinds']))).toEqual(['tag', 'variable', 'entity']);
    expect(JSON.parse(JSON.stringify(row['tokens']))).toHaveLength(3);

    const csv = path.join(root, 'grids.csv');
    expect(await gradscope('data', 'configs/mnist-qa.yaml', '--out', csv, '--examples', '1')).toMatchObject({
      code: 0,
    });
    const [header, definition] = fs.readFileSync(csv, 'utf8').split('\n');
    expect(header).toBe('seed,part,set,variable,text,answer,contrast,pieces,tokens,kinds,asked');
    expect(definition).toMatch(
      /^0,training,qd1consis\/definition,\d+,define1( \d){4},( ?\d){4},,"\[""define1""(,""\d""){8}\]",\[\],"\[""tag""(,""variable""){4}(,""entity""){4}\]","\[0,0,0,0,0,1,1,1,1\]"$/,
    );
    // Nothing but the two files is left behind.
    expect(fs.readdirSync(root).filter((name) => /arrow|csv/.test(name))).toEqual([
      'grids.csv',
      'rows.arrow',
    ]);
  });

  test.each([
    [
      'text has no pictures',
      ['data', 'configs/set-inclusion.yaml', '--out', 'x.png'],
      /--out x\.png: this experiment is on text; name a file \.arrow, \.csv or \.jsonl for its rows/,
    ],
    [
      'pictures have no rows of text',
      ['data', 'configs/mnist-qa.yaml', '--out', 'x.jsonl'],
      /--out x\.jsonl: this experiment is on images; name a file \.png/,
    ],
    [
      'a sheet of several seeds',
      ['data', 'configs/mnist-qa.yaml', '--seeds', '0..2', '--out', 'x.png'],
      /--out writes the examples of one seed; give --seed with one/,
    ],
    [
      'no examples',
      ['data', 'configs/mnist-qa.yaml', '--examples', '0'],
      /--examples: expected a whole number/,
    ],
    [
      'too many seeds to look at',
      ['data', 'configs/set-inclusion-smoke.yaml', '--seeds', '0..500'],
      /at most 100 seeds are shown, and these are 501/,
    ],
    [
      'a cost that no machine is made for, before anything is built',
      ['data', 'configs/set-inclusion-smoke.yaml', '--set', 'data.maxNumber=1e15'],
      /data\.maxNumber: too big/,
    ],
    [
      'more pairs than grids',
      ['data', 'configs/mnist-qa.yaml', '--set', 'data.variables=20000'],
      /data\.variables: 20000 pairs .* only 10000 grids/,
    ],
    ['one label', ['data', 'configs/mnist-qa.yaml', '--set', 'data.labels=1'], /data\.labels: .*>=2/],
    [
      'a folder without digits',
      ['data', 'configs/mnist-qa.yaml', '--set', 'data.digits=/nowhere'],
      /train-images-idx3-ubyte: is missing/,
    ],
    [
      'no subset to exchange with',
      ['data', 'configs/mnist-qa.yaml', '--set', 'data.variables=4'],
      /qd2incons has one variable/,
    ],
    [
      'a sweep with seeds',
      ['run', 'configs/sweeps/mnist-pairs.yaml', '--seed', '3'],
      /is a sweep, whose points have seeds of their own/,
    ],
  ])('bad input is one line and exit code 1: %s', async (_, args, reason) => {
    const { code, stdout, stderr } = await gradscope(...args);
    expect(code).toBe(1);
    expect(stdout.split('\n').length).toBeLessThan(40);
    expect(stderr).toMatch(reason);
    expect(stderr.trimEnd().split('\n')).toHaveLength(1);
    expect(stderr).toMatch(/^gradscope: /);
  });
});
