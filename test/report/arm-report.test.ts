import { beforeAll, expect, test } from 'vitest';
import { analyseArm } from '../../src/analysis/analyse-arm.js';
import { findRuns } from '../../src/analysis/find-runs.js';
import { groupIntoArms } from '../../src/analysis/run-data.js';
import { armReport } from '../../src/report/text/arm-report.js';
import { writeRun } from '../tui/support/fixture-run.js';
import { temporaryFolder } from '../tui/support/folders.js';

let analysis: Awaited<ReturnType<typeof analyseArm>>;

beforeAll(async () => {
  const root = temporaryFolder();
  for (const seed of [0, 1]) await writeRun(root, seed);
  const { runs } = await findRuns([root]);
  analysis = await analyseArm(groupIntoArms(runs)[0]!);
});

test.each([1, 10, 15, 19])('in %i columns the report says that a chart takes more', (width) => {
  const lines = armReport(analysis, { width, colour: false });
  expect(lines).toContain('(a chart takes 20 columns)');
  expect(lines.join('\n')).not.toContain('│');
});

test.each([20, 40, 100, 2000])('in %i columns it has charts', (width) => {
  const lines = armReport(analysis, { width, colour: false });
  expect(lines).not.toContain('(a chart takes 20 columns)');
  expect(lines.join('\n')).toContain('│');
});
