import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { nodeFileSystem } from '../../src/store/file-system.js';
import type { SweepVersion } from '../../src/store/sweep-record.js';
import {
  logFolder,
  readTaskRecord,
  requireSameTasks,
  taskRecordOf,
  writeTaskRecord,
  type QueuedJob,
} from '../../src/store/task-record.js';

const root = fs.mkdtempSync(path.join(os.tmpdir(), 'gradscope-tasks-'));
afterAll(() => fs.rmSync(root, { recursive: true }));

const version = (hash: string, changes: Partial<SweepVersion['arms'][number]> = {}): SweepVersion => ({
  hash,
  since: '2026-01-02T03:04:05.000Z',
  arms: [{ name: 'small', configHash: 'c1', seeds: [0, 1], ...changes }],
  predictions: [],
});

const job: QueuedJob = {
  does: 'train',
  id: '12',
  tasks: { first: 0, count: 2 },
  log: '/logs/train-%A_%a.log',
};

const read = (sweep: string) => readTaskRecord(nodeFileSystem, root, 'set-inclusion', sweep);

describe('the record of the tasks of a sweep', () => {
  test('is kept beside the results, and keeps the jobs of the last fifty submissions', () => {
    expect(read('mine')).toBeNull();
    const fresh = taskRecordOf('mine', version('h1'), null);
    const submissions = Array.from({ length: 60 }, (_, i) => ({
      submitted: '2026-01-02T03:04:05.000Z',
      jobs: [{ ...job, id: String(i) }],
    }));
    writeTaskRecord(nodeFileSystem, root, 'set-inclusion', { ...fresh, submissions });
    const kept = read('mine')!;
    expect(kept.submissions.map(({ jobs }) => jobs[0]!.id)).toEqual(
      Array.from({ length: 50 }, (_, i) => String(i + 10)),
    );
    expect(logFolder(root, 'set-inclusion', 'mine')).toBe(path.join(root, 'set-inclusion/sweeps/mine/logs'));
    expect(fs.existsSync(path.join(root, 'set-inclusion/sweeps/mine/tasks.json'))).toBe(true);
    // Jobs by an earlier file may be queued still.
    const changed = taskRecordOf('mine', version('h2'), kept);
    expect([changed.version.hash, changed.submissions]).toEqual(['h2', kept.submissions]);
    const later = { ...version('h1'), since: '2027-01-02T03:04:05.000Z' };
    expect(taskRecordOf('mine', later, kept).version).toEqual(kept.version);
  });

  test.each([
    ['a config', version('h2', { configHash: 'c2' }), /arm small: its config is another/],
    ['seeds', version('h2', { seeds: [0, 1, 2] }), /arm small: seeds 0,1,2 instead of 0,1/],
    ['a name', version('h2', { name: 'large' }), /arm large: new/],
  ])('has tasks refused by a file in which %s changed', (_, now, reason) => {
    const record = taskRecordOf('mine', version('h1'), null);
    requireSameTasks(record, version('h1'), 'mine.yaml');
    expect(() => requireSameTasks(record, now, 'mine.yaml')).toThrow(reason);
    expect(() => requireSameTasks(record, now, 'mine.yaml')).toThrow(
      /^mine\.yaml: says otherwise than when its tasks were made .*; restore it, or make them anew/,
    );
  });

  test.each(['{', '{}', '{"formatVersion":2,"sweep":"broken"}'])(
    'that holds %s is refused in a line',
    (text) => {
      const folder = path.join(root, 'set-inclusion/sweeps/broken');
      fs.mkdirSync(folder, { recursive: true });
      fs.writeFileSync(path.join(folder, 'tasks.json'), text);
      expect(() => read('broken')).toThrow(
        /tasks\.json: no record of tasks .*--slurm or --emit writes it anew$/,
      );
    },
  );
});
