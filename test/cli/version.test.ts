import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import { expect, test } from 'vitest';
import { versions } from '../../src/cli/version.js';

const indexPath = spawnSync('git', ['rev-parse', '--git-path', 'index'], { encoding: 'utf8' }).stdout.trim();

// A task that is killed while it asks for its commit would leave the lock of the index, and with it a checkout in which nothing
// can be committed.
test.skipIf(indexPath === '')('asking for the commit writes nothing in the checkout', () => {
  const file = 'package.json';
  const { atime, mtime } = fs.statSync(file);
  try {
    // git would note in its index that the content is the same.
    fs.utimesSync(file, new Date(), new Date(mtime.getTime() + 1000));
    const before = fs.readFileSync(indexPath);
    expect(versions()['commit']).toMatch(/^[0-9a-f]{40}/);
    expect(fs.readFileSync(indexPath).equals(before)).toBe(true);
  } finally {
    fs.utimesSync(file, atime, mtime);
  }
});
