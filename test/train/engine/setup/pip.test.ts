import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { nodeSystem, silentProgress } from '../../../../src/train/engine/setup/index.js';
import { downloadWheel } from '../../../../src/train/engine/setup/pip.js';
import { pipEnvironment } from '../../../../src/train/engine/setup/pip-environment.js';
import type { SetupSystem } from '../../../../src/train/engine/setup/system.js';
import { tinyZip } from './tiny-zip.js';

const hasPip = ((): boolean => {
  try {
    execFileSync('python3', ['-m', 'pip', '--version'], { stdio: 'ignore' });
    return true;
  } catch {
    console.log('skipped: a download by pip itself: there is no python3 with pip');
    return false;
  }
})();

let root: string;
beforeAll(() => {
  root = fs.mkdtempSync(path.join(os.tmpdir(), 'gradscope-pip-'));
});
afterAll(() => fs.rmSync(root, { recursive: true }));

const system = (environment: Record<string, string>): SetupSystem => {
  const real = nodeSystem(silentProgress);
  return {
    ...real,
    environment,
    run: (command, args, options) =>
      real.run(command, args, { ...options, environment: { ...environment, ...options.environment } }),
  };
};

test('settings about what the user installs are left out, those of the index stay', () => {
  const given = {
    HOME: '/home/x',
    PIP_INDEX_URL: 'https://index',
    PIP_CERT: '/cert',
    PIP_CONFIG_FILE: '/pip.conf',
    PIP_REQUIRE_VIRTUALENV: '1',
    PIP_REQUIRE_HASHES: '1',
    PIP_CONSTRAINT: '/constraints.txt',
    PIP_TARGET: '/target',
    PIP_PLATFORM: 'win32',
    PIP_REQUIREMENT: '/requirements.txt',
    PIP_A_SETTING_TO_COME: 'x',
  };
  const environment: Record<string, string | undefined> = {
    ...given,
    ...pipEnvironment(system(given), '/tmp/x'),
  };
  const set = Object.entries(environment).filter(([, value]) => value !== undefined);
  expect(Object.fromEntries(set)).toEqual({
    HOME: '/home/x',
    PIP_INDEX_URL: 'https://index',
    PIP_CERT: '/cert',
    PIP_CONFIG_FILE: '/pip.conf',
    PIP_REQUIRE_VIRTUALENV: '0',
    PIP_REQUIRE_HASHES: '0',
    PIP_USER: '0',
    PIP_QUIET: '0',
    PIP_CONSTRAINT: '/dev/null',
    TMPDIR: '/tmp/x',
  });
});

test.skipIf(!hasPip)('pip itself gives a wheel whatever the user demands of it', async () => {
  const wheels = path.join(root, 'wheels');
  fs.mkdirSync(wheels);
  const info = 'gradscope_probe-1.0.dist-info';
  fs.writeFileSync(
    path.join(wheels, 'gradscope_probe-1.0-py3-none-any.whl'),
    tinyZip(
      [
        [`${info}/METADATA`, 'Metadata-Version: 2.1\nName: gradscope-probe\nVersion: 1.0\n'],
        [`${info}/WHEEL`, 'Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n'],
        [`${info}/RECORD`, ''],
      ].map(([name = '', content = '']) => ({ name, content, method: 'store' as const })),
    ),
  );
  const constraints = path.join(root, 'constraints.txt');
  fs.writeFileSync(constraints, 'gradscope-probe==2.0\n');
  const configuration = path.join(root, 'pip.conf');
  fs.writeFileSync(
    configuration,
    `[global]\nrequire-virtualenv = true\n` +
      `[download]\nrequire-hashes = true\nconstraint = ${constraints}\n`,
  );
  const { fileName } = await downloadWheel(
    { package: 'gradscope-probe', version: '1.0', named: true },
    'python3',
    path.join(root, 'download'),
    system({
      PIP_CONFIG_FILE: configuration,
      PIP_NO_INDEX: '1',
      PIP_FIND_LINKS: wheels,
      PIP_REQUIRE_VIRTUALENV: '1',
      PIP_REQUIRE_HASHES: '1',
      PIP_CONSTRAINT: constraints,
      PIP_PLATFORM: 'win32',
      PIP_QUIET: '3',
    }),
    (text) => Promise.resolve(text),
  );
  expect(fileName).toBe('gradscope_probe-1.0-py3-none-any.whl');
});
