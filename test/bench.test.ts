import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import { expect, test } from 'vitest';

const bench = (...args: string[]) =>
  spawnSync(process.execPath, ['--import', 'tsx', 'bench/main.ts', ...args], { encoding: 'utf8' });

test('npm run bench -- --help has a line and a time for every bench, and every file of a bench is there', () => {
  const { stdout, status } = bench('--help');
  expect(status).toBe(0);
  for (const name of ['step', 'log', 'panel', 'probes', 'scaling', 'start'])
    expect(stdout).toMatch(new RegExp(`^  ${name} +\\d+ (?:s|min)  \\w`, 'm'));
  const files = [...fs.readFileSync('bench/main.ts', 'utf8').matchAll(/file: '(.*?)'/g)].map(
    ([, own]) => own!,
  );
  expect(files.length).toBeGreaterThan(8);
  expect(files.filter((file) => !fs.existsSync(file))).toEqual([]);
});

test('a bench or a flag that does not exist is refused before anything is measured', () => {
  for (const wrong of ['scalling', '--quik']) {
    const { stdout, stderr, status } = bench(wrong);
    expect(status).toBe(1);
    expect(stdout).toBe('');
    expect(stderr).toContain(wrong);
  }
});
