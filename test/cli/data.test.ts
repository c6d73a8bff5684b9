import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { Resvg } from '@resvg/resvg-js';
import { afterAll, describe, expect, test } from 'vitest';
import { commandLine } from '../support/command-line.js';

const root = fs.mkdtempSync(path.join(os.tmpdir(), 'gradscope-data-'));
afterAll(() => fs.rmSync(root, { recursive: true }));

const gradscope = (...args: string[]) => commandLine(args, { env: { GRADSCOPE_ENGINE: 'cpu' } });

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

  test.each([
    [
      'text has no pictures',
      ['data', 'configs/set-inclusion.yaml', '--out', 'x.png'],
      /--out draws images, and this experiment is on text/,
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
