import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { loadConfig } from '../../src/config/load.js';
import { runSchema } from '../../src/run/config.js';
import { RunFolder } from '../../src/store/run-folder.js';
import { newRun } from '../store/samples.js';
import { commandLine, type Ended } from '../support/command-line.js';

const config = 'configs/set-inclusion-smoke.yaml';
const root = fs.mkdtempSync(path.join(os.tmpdir(), 'gradscope-cli-runs-'));
const running: RunFolder[] = [];
afterAll(() => {
  for (const run of running) run.release();
  fs.rmSync(root, { recursive: true });
});

const gradscope = (...args: string[]): Promise<Ended> =>
  commandLine(args, { env: { GRADSCOPE_ENGINE: 'cpu' } });

/** Made-up runs have no checkpoints for a half to begin from. */
const plain = 'tagExchange=false';

/** Trains the smoke preset under another name, which no test does to the end. */
const run = (name: string, ...more: string[]): Promise<Ended> =>
  gradscope('run', config, '--out', root, '--set', `name=${name}`, '--set', plain, ...more);

const folderOf = (name: string): string => path.join(root, 'set-inclusion', `${name}-seed0`);

/** A run folder of that name, written by this process. */
function place(name: string, overrides: readonly string[] = []): RunFolder {
  const { resolved } = loadConfig(config, runSchema, [`name=${name}`, plain, ...overrides]);
  const siblings = [path.basename(folderOf(name))];
  return RunFolder.create(folderOf(name), { ...newRun, name, seed: 0, siblings }, resolved);
}

/** One line for people, no stack, nothing on standard output; exit code 1, or that of what another process holds. */
const refusal = (reason: RegExp, code = 1): Ended => ({
  code,
  stdout: '',
  stderr: expect.stringMatching(new RegExp(`^gradscope: .*${reason.source}.*\n$`)),
});

beforeAll(() => {
  running.push(place('going'));
  const stopped = place('stopped');
  fs.mkdirSync(path.join(stopped.path, 'checkpoints'));
  fs.writeFileSync(path.join(stopped.path, 'checkpoints', 'step-0.safetensors'), '');
  stopped.end('interrupted');
  place('complete').end('complete');
  place('broken').end('failed', 'the loss is not finite');
  place('other', ['stages.0.epochs=1']).end('complete');
});

describe('a run that another process writes', () => {
  const reason = new RegExp(`going-seed0:? is being written by process ${process.pid} on `);

  test.each(['refuse', 'overwrite'])('is left to it, --existing %s', async (existing) => {
    expect(await run('going', '--existing', existing)).toEqual(refusal(reason, 75));
  });

  test('is neither resumed nor recovered', async () => {
    fs.mkdirSync(path.join(folderOf('going'), 'checkpoints'));
    fs.writeFileSync(path.join(folderOf('going'), 'checkpoints', 'step-0.safetensors'), '');
    fs.writeFileSync(path.join(folderOf('going'), 'steps.arrows'), '');
    expect(await gradscope('run', '--resume', folderOf('going'))).toEqual(refusal(reason, 75));
    expect(await gradscope('recover', folderOf('going'))).toEqual(refusal(reason, 75));
  });
});

describe('a run that is there', () => {
  test('and was interrupted is not written over', async () => {
    expect(await run('stopped')).toEqual(
      refusal(
        /stopped-seed0: holds a run that is interrupted; continue it with --existing resume, or replace it with/,
      ),
    );
  });

  test('and has another config is not written over', async () => {
    for (const existing of ['refuse', 'resume'])
      expect(await run('other', '--existing', existing)).toEqual(
        refusal(/other-seed0: holds a run of another config;/),
      );
  });

  test('and is complete is left as it is', async () => {
    const { code, stdout, stderr } = await run('complete');
    expect(stderr).toBe('1 of 1 runs are complete already and are left as they are\n');
    expect({ code, stdout }).toEqual({ code: 0, stdout: `${folderOf('complete')}\n` });
  });
});

describe('--resume', () => {
  test('of a folder that is none, or holds no run', async () => {
    expect(await gradscope('run', '--resume', path.join(root, 'nowhere'))).toEqual(
      refusal(/nowhere\/run\.json: is missing; is this a run folder\?/),
    );
    expect(await gradscope('run', '--resume', root)).toEqual(
      refusal(/run\.json: is missing; is this a run folder\?/),
    );
  });

  test('of a complete run, a failed one, and one of another config than its run.json says', async () => {
    expect(await gradscope('run', '--resume', folderOf('complete'))).toEqual(
      refusal(/complete-seed0: the run is complete; there is nothing to resume/),
    );
    expect(await gradscope('run', '--resume', folderOf('broken'))).toEqual(
      refusal(/broken-seed0: cannot be resumed \(the loss is not finite\)/),
    );
    expect(await gradscope('run', '--resume', folderOf('stopped'))).toEqual(
      refusal(
        /stopped-seed0: config\.yaml is not the one that the run began with: it has 2 stages, run\.json/,
      ),
    );
  });

  test.each([
    ['--set', 'model.width=8'],
    ['--existing', 'overwrite'],
  ])('takes no %s, which would change nothing', async (option, value) => {
    const { code, stderr } = await gradscope('run', '--resume', folderOf('stopped'), option, value);
    expect(stderr).toMatch(/^error: option '--resume <run>' cannot be used with option '--/);
    expect(code).toBe(2);
  });
});

test('one seed or several, not both', async () => {
  const { code, stderr } = await run('complete', '--seed', '0', '--seeds', '0..0');
  expect(stderr).toMatch(/^error: option '--seeds? <seeds?>' cannot be used with option '--seeds? <seeds?>'/);
  expect(code).toBe(2);
});

describe('recover', () => {
  test('finds nothing to do in a folder without tables', async () => {
    const folder = path.join(root, 'empty');
    fs.mkdirSync(folder);
    const { code, stdout, stderr } = await gradscope('recover', folder);
    expect({ code, stdout, stderr }).toEqual({
      code: 0,
      stdout: `${folder}: nothing to recover\n`,
      stderr: '',
    });
    expect(fs.readdirSync(folder)).toEqual([]);
  });

  test('says which table it could not keep, goes on with other runs, and exits with 1', async () => {
    const folder = path.join(root, 'damaged');
    fs.mkdirSync(folder);
    fs.writeFileSync(path.join(folder, 'gram.arrows'), 'cut');
    const { code, stdout, stderr } = await gradscope('recover', folder, folderOf('stopped'));
    expect(stderr).toBe(
      `${folder}: gram: ${folder}/gram.arrows: not a table, or cut within its schema (3 of the 8 bytes that begin a message)\n`,
    );
    expect({ code, stdout }).toEqual({ code: 1, stdout: `${folderOf('stopped')}: nothing to recover\n` });
  });

  test('of a folder that is none', async () => {
    expect(await gradscope('recover', path.join(root, 'nowhere'))).toEqual(
      refusal(/nowhere: cannot be read/),
    );
  });
});

describe('an output folder that cannot be written', () => {
  test.skipIf(process.platform !== 'linux')('on a device that takes no folders', async () => {
    expect(await gradscope('run', config, '--out', '/sys/runs')).toEqual(
      refusal(/\/sys\/runs.*: cannot be made \(/),
    );
  });

  test.skipIf(process.getuid?.() === 0)('without permission', async () => {
    const folder = path.join(root, 'locked');
    fs.mkdirSync(folder, { mode: 0o555 });
    expect(await gradscope('run', config, '--out', folder)).toEqual(
      refusal(/locked.*: cannot be made \(EACCES/),
    );
  });
});
