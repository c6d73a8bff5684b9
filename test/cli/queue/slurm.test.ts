import { describe, expect, test } from 'vitest';
import { requeueTask } from '../../../src/cli/queue/requeue.js';
import {
  isHeldBack,
  largestArray,
  queuedElements,
  submitScript,
  submittingEnvironment,
  type RunSlurm,
} from '../../../src/cli/queue/slurm.js';
import { queueLines, runLines } from '../../../src/cli/sweep/status.js';

/** Slurm's programs with answers of their own, and what they were called with. */
function slurm(answers: Readonly<Record<string, { out?: string; error?: string; code?: number }>>) {
  const calls: { words: readonly string[]; input: string }[] = [];
  const run: RunSlurm = async (words, input = '') => {
    calls.push({ words, input });
    const answer = answers[words[0]!];
    return answer === undefined ? null : { code: 0, out: '', error: '', ...answer };
  };
  return { run, calls };
}

test('jobs are submitted without what a job around set, and with the cluster that is meant', () => {
  const environment = {
    PATH: '/bin',
    SLURM_CONF: '/etc/slurm.conf',
    SLURM_JWT: 'token',
    SLURM_JOB_ID: '7',
    SLURM_CPU_BIND: 'quiet,mask_cpu:0x1',
    SLURM_MEM_PER_NODE: '100',
    SBATCH_PARTITION: 'debug',
    MY_SLURM_NOTE: 'kept',
  };
  expect(submittingEnvironment(environment)).toEqual({
    PATH: '/bin',
    SLURM_CONF: '/etc/slurm.conf',
    SLURM_JWT: 'token',
    MY_SLURM_NOTE: 'kept',
  });
});

describe('submitting', () => {
  test.each(['123\n', '123;cluster\n'])('gives the id in %j', async (out) => {
    const { run, calls } = slurm({ sbatch: { out } });
    expect(await submitScript(run, '#!/bin/bash\n', ['--dependency=afterany:1'])).toBe('123');
    expect(calls).toEqual([
      { words: ['sbatch', '--parsable', '--dependency=afterany:1'], input: '#!/bin/bash\n' },
    ]);
  });

  test('says why it is refused, in one line, or that there is no sbatch', async () => {
    const error =
      'sbatch: error: invalid partition specified: x\nsbatch: error: Batch job submission failed\n';
    await expect(submitScript(slurm({ sbatch: { code: 1, error } }).run, '', [])).rejects.toThrow(
      /^sbatch: .*Batch job submission failed$/,
    );
    await expect(submitScript(slurm({}).run, '', [])).rejects.toThrow(/sbatch is not on this machine/);
  });

  test('asks the cluster how large an array may be', async () => {
    const out = 'Configuration data\nMaxArraySize            = 4001\nMaxDBDMsgs = 1\n';
    expect(await largestArray(slurm({ scontrol: { out } }).run)).toBe(4001);
    expect(await largestArray(slurm({}).run)).toBe(1001);
  });
});

describe('the queue', () => {
  const out = [
    '12_0|RUNNING|n1|1:02|None',
    '12_1|RUNNING|n2|0:40|None',
    '12_2|PENDING||0:00|JobArrayTaskLimit',
    '12_3|PENDING||0:00|launch failed requeued held',
    '13|PENDING||0:00|Dependency',
    '',
  ].join('\n');
  const log = '/runs/logs/train-%A_%a.log';
  const jobs = [
    { does: 'train', id: '12', tasks: { first: 0, count: 4 }, log },
    { does: 'report', id: '13', tasks: null, log: '/runs/logs/report-%j.log' },
    { does: 'train', id: '9', tasks: null, log },
  ] as const;

  test('is read element by element', async () => {
    const { run, calls } = slurm({ squeue: { out } });
    const elements = await queuedElements(run, ['12', '13']);
    expect(calls[0]!.words).toContain('12,13');
    expect(elements).toHaveLength(5);
    expect(elements![0]).toEqual({
      id: '12_0',
      state: 'RUNNING',
      nodes: 'n1',
      elapsed: '1:02',
      reason: 'None',
    });
    expect(elements!.filter(isHeldBack).map(({ id }) => id)).toEqual(['12_3']);
    expect(await queuedElements(slurm({}).run, ['1'])).toBeNull();
    expect(await queuedElements(slurm({}).run, [])).toEqual([]);
    // All ids are unknown to it by now.
    const gone = slurm({ squeue: { code: 1, error: 'slurm_load_jobs error: Invalid job id specified' } });
    expect(await queuedElements(gone.run, ['1'])).toEqual([]);
    const error = 'slurm_load_jobs error: Unable to contact slurm controller (connect failure)\n';
    await expect(queuedElements(slurm({ squeue: { code: 1, error } }).run, ['1'])).rejects.toThrow(
      /^squeue: .*Unable to contact slurm controller/,
    );
  });

  test('is shown by job, with what waits for a person', async () => {
    const elements = await queuedElements(slurm({ squeue: { out } }).run, ['12']);
    expect(queueLines({ jobs, elements, problem: null })).toEqual([
      '',
      'Slurm:',
      `  train, job 12: 2 running, 2 pending (n1, n2); logs: ${log}`,
      '  report, job 13: 1 pending; logs: /runs/logs/report-%j.log',
      '  held back: 12_3 (launch failed requeued held); scontrol release 12_3 lets it start',
    ]);
    expect(queueLines({ jobs, elements: [], problem: null }).at(-1)).toBe('Slurm: no job of it is queued');
    expect(queueLines({ jobs, elements: null, problem: null }).at(-1)).toMatch(
      /^squeue is not on this machine/,
    );
  });
});

test('runs are shown with where they are and how fast, those that failed with why', () => {
  const seeds = [
    { seed: 0, folder: 'runs/a-seed0', status: 'running', failure: null },
    { seed: 1, folder: 'runs/a-seed1', status: 'interrupted', failure: null },
    { seed: 2, folder: 'runs/a-seed2', status: 'failed', failure: 'loss is not finite at step 7' },
    { seed: 3, folder: 'runs/a-seed3', status: 'complete', failure: null },
  ] as const;
  const counts = { complete: 1, running: 1, interrupted: 1, failed: 1, missing: 0 };
  const arm = { arm: 'a', runs: 4, seeds, ...counts, stepsDone: 0, stepsTotal: 0, toProbe: 0 };
  const running = {
    folder: 'runs/a-seed0',
    host: 'n1',
    pid: 39,
    step: 120,
    stepsTotal: 300,
    rate: 12.34,
    lastBeat: 4,
  };
  expect(runLines({ arms: [arm] }, [running])).toEqual([
    '',
    'running        process   update  updates/s  last sign of life',
    'runs/a-seed0  39 on n1  120/300       12.3            4 s ago',
    '',
    'interrupted:',
    '  runs/a-seed1',
    '',
    'failed:',
    '  runs/a-seed2: loss is not finite at step 7',
  ]);
  const idle = { ...arm, seeds: seeds.slice(3) };
  expect(runLines({ arms: [idle] }, [])).toEqual([]);
});

describe('a task of Slurm', () => {
  const task = { SLURM_JOB_ID: '12', SLURM_ARRAY_JOB_ID: '12', SLURM_ARRAY_TASK_ID: '5' };
  function end(code: number, environment: Record<string, string>, problem: string | null = null) {
    const calls: string[] = [];
    const told: string[] = [];
    requeueTask(code, 3, {
      environment,
      run: (...words) => {
        calls.push(words.join(' '));
        return problem;
      },
      tell: (text) => told.push(text),
    });
    return { calls, told };
  }

  test('is queued again by the id of its element, never by that of the last, which is the array', () => {
    expect(end(75, task).calls).toEqual(['scontrol requeue 12_5']);
    expect(end(75, { SLURM_JOB_ID: '12' }).calls).toEqual(['scontrol requeue 12']);
  });

  test.each([0, 1, 2, 130, 143])('is not after exit code %i', (code) => {
    expect(end(code, task)).toEqual({ calls: [], told: [] });
  });

  test('is not for ever, nor outside of Slurm', () => {
    expect(end(75, { ...task, SLURM_RESTART_COUNT: '2' }).calls).toHaveLength(1);
    const last = end(75, { ...task, SLURM_RESTART_COUNT: '3' });
    expect(last.calls).toEqual([]);
    expect(last.told[0]).toMatch(/task 12_5 was started again 3 times/);
    expect(end(75, {})).toEqual({ calls: [], told: [] });
  });

  test('says when it cannot be', () => {
    expect(end(75, task, 'spawnSync scontrol ENOENT').told[0]).toMatch(/cannot be queued again .*ENOENT/);
  });
});
