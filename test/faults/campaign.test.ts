// A small share of the fault campaign (`npm run test:faults`, docs/testing.md), the same cases every time.
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { areas } from './campaign/registry.js';
import { runCase } from './campaign/run-case.js';
import { changes, differences, problemsMidway, snapshot } from './campaign/run-content.js';
import { crashedRun, makeCrashed, makeReferences, scenarios, wholeRun } from './campaign/scenarios.js';

const work = fs.mkdtempSync(path.join(os.tmpdir(), 'gradscope-faults-'));
afterAll(() => fs.rmSync(work, { recursive: true }));
beforeAll(async () => {
  await makeReferences(
    work,
    scenarios.filter(({ name }) => name === 'analyze'),
    () => {},
  );
  await makeCrashed(work);
});

/** Cases of each area: numbers from 0 on, or those listed. Those of `train` are the even ones of kills and failures. */
const share: Readonly<Record<string, number | readonly number[]>> = {
  finalisation: [0, 2],
  kills: [0, 4],
  failures: [0, 2, 4],
  configs: 60,
  tables: 200,
  checkpoints: 60,
  'run-json': 25,
  'analysis-json': 10,
  'run-config': 8,
  locks: 40,
  escapes: [2, 120, 300],
  paths: [0],
};

test.each(Object.entries(share))('%s', async (area, cases) => {
  const indices = typeof cases === 'number' ? Array.from({ length: cases }, (_, i) => i) : cases;
  const failed: unknown[] = [];
  for (const index of indices) {
    const result = await runCase({ area, index, seed: 1, work, keep: false });
    if (result.problems.length > 0) failed.push({ index, ...result });
  }
  expect(failed).toEqual([]);
});

test('every area but the single cases, which the tests of each room hold, has its share', () => {
  expect([...Object.keys(share), 'cases'].sort()).toEqual(areas.map(({ name }) => name).sort());
});

describe('what the campaign looks at', () => {
  const copy = path.join(work, 'copy');
  const tiny = 'set-inclusion/tiny-seed0';
  const fresh = (run: string): string => {
    fs.rmSync(copy, { recursive: true, force: true });
    fs.cpSync(path.dirname(path.dirname(run)), copy, { recursive: true });
    return path.join(copy, tiny);
  };

  test('a table, a checkpoint, a file more or less', () => {
    const expected = path.dirname(path.dirname(wholeRun(work, 0)));
    const own = fresh(wholeRun(work, 0));
    expect(differences(copy, expected)).toEqual([]);
    const table = path.join(own, 'gradients.arrow');
    fs.copyFileSync(path.join(copy, 'set-inclusion/tiny-seed1/gradients.arrow'), table);
    const checkpoints = path.join(own, 'checkpoints');
    const [first, second] = fs.readdirSync(checkpoints).sort();
    fs.copyFileSync(path.join(checkpoints, second!), path.join(checkpoints, first!));
    fs.renameSync(path.join(own, 'gram.arrow'), path.join(own, 'gram.arrow.tmp'));
    expect(differences(copy, expected).sort()).toEqual([
      `left over: ${tiny}/gram.arrow.tmp`,
      expect.stringMatching(`^${tiny}/checkpoints/${first}: tensor .* differs$`),
      `${tiny}/gradients.arrow: other rows`,
      `${tiny}/gram.arrow is missing`,
    ]);
  });

  test('rows of a stream that a checkpoint counts', () => {
    const expected = path.dirname(path.dirname(wholeRun(work, 0)));
    const own = fresh(crashedRun(work, 0));
    expect(problemsMidway(copy, expected)).toEqual([]);
    fs.truncateSync(path.join(own, 'steps.arrows'), 5000);
    expect(problemsMidway(copy, expected).join()).toMatch(/steps\.arrows: .*lost/);
  });

  test('files that are new, gone or changed', () => {
    const own = fresh(crashedRun(work, 0));
    const before = snapshot(own);
    fs.writeFileSync(path.join(own, 'new'), '');
    fs.appendFileSync(path.join(own, 'run.json'), ' ');
    fs.rmSync(path.join(own, 'config.yaml'));
    expect(changes(before, snapshot(own)).sort()).toEqual([
      'config.yaml is gone',
      'new is new',
      'run.json changed',
    ]);
  });
});
