import fs from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { nodeFileSystem } from '../../src/store/file-system.js';
import { analysisPath, makeFolderBelow, sweepPath } from '../../src/store/run-paths.js';
import { temporaryFolder } from './support.js';

it('names become paths that stay in their folder', () => {
  expect(analysisPath('runs/set-inclusion', 'small')).toBe('runs/set-inclusion/analysis/small');
  expect(sweepPath('runs', 'mnist-qa', 'pairs-2.5')).toBe('runs/mnist-qa/sweeps/pairs-2.5');
  for (const name of ['', '.', '..', '../up', 'a/b', '/root', 'a\\b', 'a\u0000b', '-rf', 'A']) {
    expect(() => analysisPath('runs', name)).toThrow(/^runs: ".*" is no name of a folder in it$/);
    expect(() => sweepPath('runs', name, 'small')).toThrow(/is no name of a folder in it/);
  }
});

it('nothing is made or written through a link in the folder of the runs', () => {
  const outside = temporaryFolder();
  const runs = temporaryFolder();
  fs.symlinkSync(outside, join(runs, 'analysis'));
  expect(() => makeFolderBelow(nodeFileSystem, runs, analysisPath(runs, 'small'))).toThrow(
    `${runs}/analysis: is a link, through which nothing is written; move it away`,
  );
  expect(fs.readdirSync(outside)).toEqual([]);
  // The folder of the runs may be a link itself: that one was given.
  const given = join(temporaryFolder(), 'given');
  fs.symlinkSync(outside, given);
  makeFolderBelow(nodeFileSystem, given, analysisPath(given, 'small'));
  expect(fs.readdirSync(join(outside, 'analysis'))).toEqual(['small']);
});
