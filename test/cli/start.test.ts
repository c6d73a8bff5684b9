import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { expect, test } from 'vitest';

// A start loads what it needs: every package more is milliseconds that everyone waits, every time.
test.each(['--version', '--help', 'run --help', 'sweep --help'])(
  'gradscope %s loads the command parser and nothing else of node_modules',
  (line) => {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'gradscope-start-'));
    const list = path.join(folder, 'packages');
    try {
      const { status } = spawnSync(
        process.execPath,
        [
          '--import',
          'tsx',
          '--import',
          './test/cli/support/loaded-packages.mjs',
          'src/cli/main.ts',
          ...line.split(' '),
        ],
        { env: { ...process.env, LOADED_PACKAGES: list } },
      );
      expect(status).toBe(0);
      const packages = fs.readFileSync(list, 'utf8').split('\n');
      expect(packages.filter((name) => !['tsx', 'esbuild', 'get-tsconfig'].includes(name))).toEqual([
        'commander',
      ]);
    } finally {
      fs.rmSync(folder, { recursive: true });
    }
  },
);
