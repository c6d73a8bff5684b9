import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { parseYaml } from '../../../data/yaml.js';
import { jobWords, taskCommands, type JobCall } from '../../../src/cli/queue/job-command.js';
import { kubernetesJob } from '../../../src/cli/queue/kubernetes-job.js';
import { parseMemorySize } from '../../../src/cli/queue/memory-size.js';
import { arrayParts, sbatchScript, type SlurmJob } from '../../../src/cli/queue/sbatch-script.js';

const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'gradscope-queue-'));
afterAll(() => fs.rmSync(folder, { recursive: true }));

const plain: JobCall = {
  program: ['/opt/node', '/clone/dist/src/cli/main.js'],
  folder: '/home/ada',
  file: '/home/ada/mine.yaml',
  flags: { set: [], out: '/scratch/runs', existing: 'resume', engine: 'auto' },
};

/** Values that a shell, a batch script and a template would each take for something else. */
const hostile: JobCall = {
  program: ['/opt/no de', "/clo'ne/main.js"],
  folder: "/home/a d'a $HOME",
  file: '/home/`id`/mine.yaml',
  flags: {
    ...plain.flags,
    out: '/scratch/$(id)/ru"ns',
    set: ['description=it\'s "50 %" of $PATH; rm -rf *', 'log.gram={ every: 5 }'],
    seeds: [0, 3],
    existing: 'overwrite',
    threads: { intraOp: 1, interOp: 2 },
    pack: 'auto',
    mem: parseMemorySize('2G'),
    steal: 'off',
  },
};

const train: SlurmJob = {
  does: 'train',
  name: 'mine',
  logs: '/scratch/runs/logs',
  tasks: { first: 0, count: 57, all: 57, limit: 20 },
};

/** What a shell makes of a command: the folder it goes to, and the words that are run there. */
function inShell(shell: string, command: string, environment: Record<string, string> = {}): string[] {
  const script = command.replace(/^cd /, 'printf "%s\\0" ').replace(' && exec ', '; printf "%s\\0" ').trim();
  const { stdout, status } = spawnSync(shell, ['-c', script], {
    encoding: 'utf8',
    env: { PATH: process.env['PATH'], HOME: '/nowhere', ...environment },
  });
  expect(status).toBe(0);
  return stdout.split('\0').slice(0, -1);
}

const wordsOf = (call: JobCall, task: string): string[] => [
  call.folder,
  ...jobWords(call, 'train'),
  '--task',
  task,
];

describe('commands', () => {
  test('are absolute, say the engine, and name each task', () => {
    const lines = taskCommands(plain, 'train', 2);
    expect(lines).toEqual([
      'cd /home/ada && exec /opt/node /clone/dist/src/cli/main.js sweep /home/ada/mine.yaml --out /scratch/runs --engine native --pack auto --task 0/2',
      'cd /home/ada && exec /opt/node /clone/dist/src/cli/main.js sweep /home/ada/mine.yaml --out /scratch/runs --engine native --pack auto --task 1/2',
    ]);
    const wasm = { ...plain, flags: { ...plain.flags, engine: 'wasm', probe: 'alignment' } } as const;
    expect(taskCommands(wasm, 'probe', 1)[0]).toContain('--probe alignment --engine wasm --pack auto');
    expect(jobWords(plain, 'report').slice(2)).toEqual([
      'sweep',
      '/home/ada/mine.yaml',
      '--out',
      '/scratch/runs',
      '--report',
    ]);
  });

  test.each(['sh', 'bash'])('come out of %s as they went in', (shell) => {
    for (const call of [plain, hostile]) {
      const lines = taskCommands(call, 'train', 3);
      expect(inShell(shell, lines[2]!)).toEqual(wordsOf(call, '2/3'));
    }
  });
});

describe('a batch script', () => {
  const resources = {
    partition: 'gpu',
    time: '04:00:00',
    cpus: 4,
    mem: '8G',
    gpus: 1,
    others: ['--constraint=a100 --qos=long'],
  };

  test('of an array asks for what was asked, and puts Node in the place of the shell', () => {
    expect(sbatchScript(train, plain, resources)).toBe(`#!/bin/bash
#SBATCH --job-name=mine
#SBATCH --array=0-56%20
#SBATCH --output=/scratch/runs/logs/train-%A_%a.log
#SBATCH --open-mode=append
#SBATCH --requeue
#SBATCH --signal=B:USR1@120
#SBATCH --partition=gpu
#SBATCH --time=04:00:00
#SBATCH --cpus-per-task=4
#SBATCH --mem=8G
#SBATCH --gpus=1
#SBATCH --constraint=a100 --qos=long
cd /home/ada && exec /opt/node /clone/dist/src/cli/main.js sweep /home/ada/mine.yaml --out /scratch/runs --engine native --pack auto --task "$SLURM_ARRAY_TASK_ID/57" --requeue
`);
  });

  test('of a single job is no array, has no checkpoint to write, and asks for no GPU', () => {
    const script = sbatchScript({ ...train, does: 'report', tasks: null }, plain, resources);
    expect(script).not.toMatch(/--array|--signal|--gpus|--task/);
    expect(script).toContain('#SBATCH --output=/scratch/runs/logs/report-%j.log\n');
    expect(script).toMatch(/ --report\n$/);
  });

  test('counts on from the first task of a part of the array, and quotes what is special', () => {
    const job = { ...train, logs: '/a b/50%', tasks: { first: 1000, count: 7, all: 1007, limit: null } };
    const script = sbatchScript(job, hostile, { others: [] });
    expect(script).toContain('#SBATCH --array=0-6\n');
    expect(script).toContain('#SBATCH --output="/a b/50%%/train-%A_%a.log"\n');
    const command = script.trim().split('\n').at(-1)!;
    expect(inShell('bash', command, { SLURM_ARRAY_TASK_ID: '6' })).toEqual([
      ...wordsOf(hostile, '1006/1007'),
      '--requeue',
    ]);
  });

  test('takes no option with a line break, which would be a line of its own', () => {
    expect(() => sbatchScript(train, plain, { others: ['--qos=a\nrm -rf /'] })).toThrow(/control characters/);
    expect(() => sbatchScript(train, plain, { partition: 'a\nb', others: [] })).toThrow(/control characters/);
  });
});

test('an array is cut at the size that the cluster takes, and its limit with it', () => {
  expect(arrayParts(57, 1001, 20)).toEqual([{ first: 0, count: 57, all: 57, limit: 20 }]);
  const parts = arrayParts(2570, 1001, 20);
  expect(parts.map(({ first, count, limit }) => [first, count, limit])).toEqual([
    [0, 856, 6],
    [856, 857, 6],
    [1713, 857, 6],
  ]);
  // An index of MaxArraySize itself is refused.
  expect(arrayParts(1002, 1001, null).map(({ count }) => count)).toEqual([501, 501]);
  expect(arrayParts(1001, 1001, null)).toHaveLength(1);
  expect(arrayParts(4, 2, 1).map(({ limit }) => limit)).toEqual([1, 1]);
});

test('a Kubernetes job has an index a task, and tells failures from stops', () => {
  const request = { name: 'mine', does: 'train', count: 57, limit: 8, cpus: 2, memory: 2 ** 31 } as const;
  const text = kubernetesJob(request, { ...hostile, folder: '/home/ada' });
  const { value } = parseYaml('job', text);
  expect(value).toMatchObject({
    kind: 'Job',
    spec: {
      completionMode: 'Indexed',
      completions: 57,
      parallelism: 8,
      podFailurePolicy: {
        rules: [
          { action: 'Ignore' },
          { action: 'Ignore', onExitCodes: { values: [75, 130, 143] } },
          { action: 'FailIndex', onExitCodes: { values: [1, 2] } },
        ],
      },
      template: { spec: { restartPolicy: 'Never', containers: [{ command: ['/opt/no de'] }] } },
    },
  });
  const [container] = (
    value as { spec: { template: { spec: { containers: { args: string[]; workingDir: string }[] } } } }
  ).spec.template.spec.containers;
  expect(container!.workingDir).toBe('/home/ada');
  // $( begins a reference in an argument; $$( is the text itself.
  expect(container!.args).toContain('/scratch/$$(id)/ru"ns');
  expect(container!.args.slice(-2)).toEqual(['--task', '$(JOB_COMPLETION_INDEX)/57']);
});

test.each([
  ['2G', 2 * 1024 ** 3],
  ['512m', 512 * 1024 ** 2],
  ['2000', 2000 * 1024 ** 2],
  ['64K', 64 * 1024],
])('%s of memory is as many bytes as Slurm takes it for', (text, bytes) => {
  expect(parseMemorySize(text)).toEqual({ text, bytes });
  for (const other of ['0', '', '2GB', '-1G', '1.5G']) expect(() => parseMemorySize(other)).toThrow(/2G/);
});
