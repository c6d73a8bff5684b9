import os from 'node:os';
import { describe, expect, test } from 'vitest';
import { cpuQuota } from '../../src/machine/cgroup.js';
import { describeJob } from '../../src/machine/job.js';
import { thisMachine, type Machine } from '../../src/machine/machine.js';
import { availableMemory } from '../../src/machine/memory.js';
import { availableProcessors } from '../../src/machine/processors.js';
import { missingTemporaryFolders } from '../../src/machine/temporary-folder.js';

const none: Machine = {
  variables: {},
  parallelism: () => 128,
  availableMemory: () => 256e9,
  residentMemory: () => 200e6,
  processor: () => null,
  read: () => null,
};

/** Reads files of a table. */
const files =
  (table: Readonly<Record<string, string>>) =>
  (path: string): string | null =>
    table[path] ?? null;

describe('processors', () => {
  test.each([
    ['alone on the machine', {}, 128],
    ['as many as a task asked for', { SLURM_CPUS_PER_TASK: '2', SLURM_CPUS_ON_NODE: '64' }, 2],
    ['as many as a job has on the node', { SLURM_CPUS_ON_NODE: '64' }, 64],
    ['of HyperQueue', { HQ_CPUS: '3,5,7' }, 3],
    ['of HyperQueue, with ranges', { HQ_CPUS: '0-3,8' }, 5],
    ['the fewest of several', { SLURM_CPUS_PER_TASK: '16', HQ_CPUS: '1' }, 1],
    ['what is no number does not count', { SLURM_CPUS_PER_TASK: 'many', HQ_CPUS: 'all' }, 128],
    ['more than there are', { SLURM_CPUS_PER_TASK: '512' }, 128],
  ])('%s', (_, variables, expected) => {
    expect(availableProcessors({ ...none, variables })).toBe(expected);
  });

  test('a quota of time counts, rounded up', () => {
    const own = files({ '/proc/self/cgroup': '0::/pod\n', '/sys/fs/cgroup/pod/cpu.max': '150000 100000\n' });
    expect(availableProcessors({ ...none, read: own })).toBe(2);
    const tenth = files({ '/proc/self/cgroup': '0::/\n', '/sys/fs/cgroup/cpu.max': '10000 100000\n' });
    expect(availableProcessors({ ...none, read: tenth })).toBe(1);
  });

  test('are at least one here', () => {
    expect(availableProcessors(thisMachine)).toBeGreaterThanOrEqual(1);
    expect(availableProcessors(thisMachine)).toBeLessThanOrEqual(thisMachine.parallelism());
  });
});

test.each<[string, Record<string, string>, number | null]>([
  ['no control groups', {}, null],
  ['no limit', { '/proc/self/cgroup': '0::/a\n', '/sys/fs/cgroup/a/cpu.max': 'max 100000\n' }, null],
  [
    'a limit of a group above',
    {
      '/proc/self/cgroup': '0::/slice/job/step\n',
      '/sys/fs/cgroup/slice/job/step/cpu.max': 'max 100000\n',
      '/sys/fs/cgroup/slice/job/cpu.max': '400000 100000\n',
      '/sys/fs/cgroup/slice/cpu.max': '800000 100000\n',
    },
    4,
  ],
  [
    'version 1, in a container that does not see its own path',
    {
      '/proc/self/cgroup': '4:memory:/docker/abc\n3:cpu,cpuacct:/docker/abc\n0::/\n',
      '/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us': '50000\n',
      '/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us': '100000\n',
    },
    0.5,
  ],
  [
    'version 1 without a limit',
    {
      '/proc/self/cgroup': '1:cpu:/\n',
      '/sys/fs/cgroup/cpu/cpu.cfs_quota_us': '-1\n',
      '/sys/fs/cgroup/cpu/cpu.cfs_period_us': '100000\n',
    },
    null,
  ],
])('quota of processor time: %s', (_, table, expected) => {
  expect(cpuQuota(files(table))).toBe(expected);
});

describe('memory', () => {
  const mebibyte = 2 ** 20;

  test.each<[string, Record<string, string>, number]>([
    ['what the system says', {}, 256e9],
    ['what the job asked for, less what is held', { SLURM_MEM_PER_NODE: '2048' }, 2048 * mebibyte - 200e6],
    [
      'what it asked for by processor',
      { SLURM_MEM_PER_CPU: '1024', SLURM_CPUS_PER_TASK: '4' },
      4096 * mebibyte - 200e6,
    ],
    ['all of the node is no bound', { SLURM_MEM_PER_NODE: '0' }, 256e9],
    ['a request without processors is no bound', { SLURM_MEM_PER_CPU: '1024' }, 256e9],
    ['more than there is', { SLURM_MEM_PER_NODE: '1000000' }, 256e9],
    ['less than is held already', { SLURM_MEM_PER_NODE: '100' }, 0],
  ])('%s', (_, variables, expected) => {
    expect(availableMemory({ ...none, variables })).toBe(expected);
  });

  test('is some here, and not more than the machine has', () => {
    expect(availableMemory()).toBeGreaterThan(0);
    expect(availableMemory()).toBeLessThanOrEqual(os.totalmem());
  });

  test('a limit that the system knows counts before a larger request', () => {
    const limited = { ...none, availableMemory: () => 1e9, variables: { SLURM_MEM_PER_NODE: '4096' } };
    expect(availableMemory(limited)).toBe(1e9);
  });
});

test.each<[Record<string, string>, string | null]>([
  [{}, null],
  [{ SLURM_JOB_ID: '17' }, 'Slurm job 17'],
  [
    {
      SLURM_JOB_ID: '20',
      SLURM_ARRAY_JOB_ID: '17',
      SLURM_ARRAY_TASK_ID: '3',
      SLURM_RESTART_COUNT: '2',
    },
    'Slurm job 17_3, restart 2',
  ],
  [{ HQ_JOB_ID: '5', HQ_TASK_ID: '9', HQ_INSTANCE_ID: '1' }, 'HyperQueue job 5.9, restart 1'],
  [{ JOB_COMPLETION_INDEX: '4', HOSTNAME: 'sweep-4-x7' }, 'Kubernetes pod sweep-4-x7, index 4'],
])('the job of %o', (variables, expected) => {
  expect(describeJob(variables)).toBe(expected);
});

test('folders for temporary files that are not there', () => {
  const isFolder = (folder: string): boolean => folder === '/scratch';
  expect(missingTemporaryFolders({ TMPDIR: '/scratch', TEMP: '' }, isFolder)).toEqual([]);
  expect(missingTemporaryFolders({ TMPDIR: '/local/17', TMP: '/scratch' }, isFolder)).toEqual([
    { name: 'TMPDIR', folder: '/local/17' },
  ]);
  expect(missingTemporaryFolders({ TMPDIR: '/nonexistent' })).toHaveLength(1);
});
