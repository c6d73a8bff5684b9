import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { expect, test } from 'vitest';
import { sweep } from '../../../src/cli/sweep.js';
import type { SweepFlags } from '../../../src/cli/sweep/flags.js';

const out = path.join(os.tmpdir(), `gradscope-no-runs-${process.pid}`);
const flags: SweepFlags = { set: [], out, existing: 'resume', engine: 'cpu' };

test.each<[Partial<SweepFlags>, RegExp]>([
  [{ task: '8/8' }, /--task 8\/8: expected I\/N/],
  [{ task: '24', pack: 1 }, /--task 24: the sweep has 24 tasks, numbered from 0/],
  [{ report: true, task: '0/8' }, /--report and --task cannot be given together/],
  [{ emit: 'k8s', slurm: true }, /--emit and --slurm cannot be given together/],
  [{ status: true, analyze: true }, /--status and --analyze cannot be given together/],
  [{ slurm: true, probe: 'alignmnt' }, /there is no probe alignmnt; there are alignment/],
  [{ analyze: true }, /holds no run of the sweep batch-size-smoke/],
])('a sweep with %j is refused, and nothing is written', async (wish, reason) => {
  await expect(sweep('configs/sweeps/batch-size-smoke.yaml', { ...flags, ...wish })).rejects.toThrow(reason);
  expect(fs.existsSync(out)).toBe(false);
});
