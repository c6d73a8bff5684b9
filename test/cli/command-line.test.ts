import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

const root = fs.mkdtempSync(path.join(os.tmpdir(), 'gradscope-cli-'));
afterAll(() => fs.rmSync(root, { recursive: true }));

interface Outcome {
  readonly status: number | null;
  readonly out: string;
  readonly error: string;
}

/** Runs the program as a user would, from its sources; on the engine without set-up, so that it works anywhere. */
function gradscope(args: readonly string[], environment: Record<string, string> = {}): Outcome {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    ['--import', 'tsx', 'src/cli/main.ts', ...args],
    { encoding: 'utf8', env: { ...process.env, GRADSCOPE_ENGINE: 'cpu', NO_COLOR: '1', ...environment } },
  );
  return { status, out: stdout, error: stderr };
}

/** One line for people, no stack, exit code 1. */
const refusal = (reason: RegExp): Outcome => ({
  status: 1,
  out: '',
  error: expect.stringMatching(new RegExp(`^gradscope: .*${reason.source}.*\n$`)),
});

describe('help', () => {
  test('names every command', () => {
    const { status, out } = gradscope(['--help']);
    expect(status).toBe(0);
    for (const command of [
      'setup',
      'doctor',
      'run',
      'sweep',
      'probe',
      'analyze',
      'verify',
      'recover',
      'export',
      'tui',
      'show',
    ])
      expect(out).toContain(`  ${command}`);
  });

  test.each([
    'setup',
    'doctor',
    'run',
    'sweep',
    'probe',
    'analyze',
    'verify',
    'recover',
    'export',
    'tui',
    'show',
  ])('of %s has examples', (command) => {
    const { status, out } = gradscope([command, '--help']);
    expect(status).toBe(0);
    expect(out).toMatch(/Examples?:\n  (GRADSCOPE_\S+ )?gradscope/);
  });
});

describe('bad input is refused in one line', () => {
  const config = (name: string, change: (text: string) => string): string => {
    const file = path.join(root, name);
    const text = fs.readFileSync('configs/set-inclusion.yaml', 'utf8');
    fs.writeFileSync(file, change(text));
    return file;
  };
  let occupied: string;
  beforeAll(() => {
    occupied = path.join(root, 'a-file');
    fs.writeFileSync(occupied, '');
  });
  const run = (file: string, ...more: string[]): Outcome =>
    gradscope(['run', file, '--out', path.join(root, 'runs'), ...more]);

  test('an unknown command', () => {
    expect(gradscope(['trian'])).toMatchObject({
      status: 2,
      error: expect.stringMatching(/unknown command/),
    });
  });

  test('a misspelt key: file, line, column, key, suggestion', () => {
    const file = config('misspelt.yaml', (text) => text.replace('maxNumber: 15', 'maxNumbr: 15'));
    const line =
      fs
        .readFileSync(file, 'utf8')
        .split('\n')
        .findIndex((own) => own.includes('maxNumbr')) + 1;
    const outcome = run(file);
    expect(outcome).toEqual(refusal(new RegExp(`misspelt\\.yaml:${line}:\\d+.*maxNumbr`)));
    expect(outcome.error).toContain('maxNumber');
  });

  test('a wrong type', () => {
    const file = config('type.yaml', (text) => text.replace('variables: 1000', 'variables: many'));
    expect(run(file)).toEqual(refusal(/type\.yaml:\d+:\d+.*data\.variables/));
  });

  test('an impossible value', () => {
    const file = config('value.yaml', (text) => text.replace('alpha: 1 ', 'alpha: 1.5 '));
    expect(run(file)).toEqual(refusal(/value\.yaml:\d+:\d+.*alpha/));
  });

  test('no such config', () => {
    expect(run(path.join(root, 'nowhere.yaml'))).toEqual(refusal(/nowhere\.yaml/));
  });

  test('a file where the output folder should be', () => {
    expect(
      gradscope(['run', 'configs/set-inclusion-smoke.yaml', '--out', occupied, '--set', 'data.variables=40']),
    ).toEqual(refusal(/a-file.*cannot be made/));
  });

  test('neither a config nor a run to resume, or both', () => {
    expect(gradscope(['run'])).toEqual(refusal(/give an experiment file, or --resume/));
    expect(gradscope(['run', 'configs/set-inclusion.yaml', '--resume', root])).toEqual(
      refusal(/or --resume/),
    );
  });

  test('resuming what is no run', () => {
    expect(gradscope(['run', '--resume', root])).toEqual(
      refusal(/run\.json: is missing; is this a run folder\?/),
    );
  });

  test('analysing a folder without runs, or none', () => {
    expect(gradscope(['analyze', path.join(root, 'missing')])).toEqual(refusal(/missing.*cannot be read/));
    const empty = path.join(root, 'empty');
    fs.mkdirSync(empty, { recursive: true });
    expect(gradscope(['analyze', empty])).toEqual(refusal(/no run to analyse/));
  });

  test('an unknown check', () => {
    expect(gradscope(['verify', 'V99'])).toEqual(refusal(/no check V99; there are V0, V1/));
  });
});

test('an engine that cannot load says so, and what to do', () => {
  // The package of the native engine fails as it does where its library is missing.
  const { status, error } = gradscope(['doctor', '--engine', 'native'], {
    NODE_OPTIONS: `--import ${new URL('./without-native.mjs', import.meta.url).href}`,
  });
  expect(error).toMatch(/^gradscope: .*native/m);
  expect(error).not.toMatch(/^\s+at /m);
  expect(status).toBe(1);
}, 60_000);

test('golden checks that need no time hold', () => {
  const { status, out } = gradscope(['verify', 'V0', 'V5', 'V12']);
  expect(out).toMatch(/^ok\s+V0 /m);
  expect(out).toContain('all checks hold');
  expect(status).toBe(0);
});

describe('a sweep for a queue', () => {
  const out = (name: string): string => path.join(root, name);
  const sweep = (...args: string[]): Outcome =>
    gradscope(['sweep', 'configs/sweeps/batch-size-smoke.yaml', ...args]);

  test('prints its tasks, and they refuse to start when the file says otherwise', () => {
    const emitted = sweep('--out', out('queue'), '--emit', 'commands', '--pack', '3');
    expect(emitted.status).toBe(0);
    const lines = emitted.out.trim().split('\n');
    expect(lines).toHaveLength(8);
    expect(lines[7]).toMatch(
      /^cd \S+ && exec \S+ .*main\.ts sweep \/.*batch-size-smoke\.yaml --out \/.* --task 7\/8$/,
    );
    // The probe that its predictions need, and the report.
    expect(emitted.error).toMatch(/^8 tasks; when they have ended:\n  cd .* --probe .*\n  cd .* --report\n$/);
    const changed = sweep('--out', out('queue'), '--seeds', '0..1', '--task', '0/8');
    expect(changed.status).toBe(1);
    expect(changed.error).toMatch(
      /says otherwise than when its tasks were made \(arm b64: seeds 0,1 instead of 0,1,2,3,4,5\)/,
    );
  });

  test('without Slurm says so', () => {
    expect(
      gradscope(['sweep', 'configs/sweeps/batch-size-smoke.yaml', '--out', out('slurm'), '--slurm'], {
        PATH: '/nowhere',
      }),
    ).toEqual(refusal(/sbatch is not on this machine; call this on a login node, or take --emit sbatch/));
  });
});
