import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { expect, test } from 'vitest';
import { readRunInfo } from '../../src/store/run-folder.js';
import { testEngine } from '../train/support/engine.js';
import { temporaryFolder, tiny } from './support.js';

/** Descriptor 3 is the standard error of the test. */
test.each([
  ['a reader that goes away', '{ train 2>&1; echo "code $?" >&3; } | head -n 1'],
  ['a full disk', '{ train 2> /dev/full; echo "code $?" >&3; }'],
])('a log that nobody can read ends no training: %s', (_why, line) => {
  const root = temporaryFolder();
  const settings = [...tiny, 'log.tier=off'].map((own) => `--set '${own}'`).join(' ');
  const train = `train() { ${process.execPath} --import tsx src/cli/main.ts run configs/set-inclusion-smoke.yaml --out ${root} ${settings}; }`;
  const { stderr } = spawnSync('bash', ['-c', `${train}\nexec 3>&2\n${line} > /dev/null`], {
    encoding: 'utf8',
    env: { ...process.env, GRADSCOPE_ENGINE: testEngine },
  });
  expect(stderr).toBe('code 0\n');
  const { status, stepsDone, stepsTotal } = readRunInfo(path.join(root, 'set-inclusion', 'tiny-seed0'));
  expect({ status, stepsDone }).toEqual({ status: 'complete', stepsDone: stepsTotal });
});
