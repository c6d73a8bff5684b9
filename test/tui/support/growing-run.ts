/**
 * A run that writes itself while a test looks: `growing-run.ts <root> <steps> <ms per step>` writes the tables of a run of
 * seed 7 step by step, flushed after each, and ends it.
 */
import path from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { groupColumnName } from '../../../src/store/columns.js';
import { finalizeTable } from '../../../src/store/finalize.js';
import { RunFolder } from '../../../src/store/run-folder.js';
import { tables } from '../../../src/store/tables/registry.js';
import { TableWriter } from '../../../src/store/table-writer.js';
import { dimensions, gradNormOf, groups, lossOf, newRun } from './fixture-run.js';

const [root, stepsText, pauseText] = process.argv.slice(2);
const steps = Number(stepsText);
const folder = path.join(root!, 'growing-seed7');
const run = RunFolder.create(folder, newRun(7, 'growing', steps, 0), 'name: growing\n');
const writer = TableWriter.create({ folder, table: tables.steps, dimensions });
for (let step = 1; step <= steps; step++) {
  const row = writer.reserve(1);
  writer.column('stage')[row] = 0;
  writer.column('step')[row] = step;
  writer.column('stage_step')[row] = step;
  writer.column('epoch')[row] = step / 10;
  writer.column('learning_rate')[row] = 0.1;
  writer.column('batch_size')[row] = 16;
  writer.column('loss')[row] = lossOf(step, 7);
  writer.column('grad_norm')[row] = gradNormOf(step, 7);
  writer.column('clip_factor')[row] = 1;
  writer.column('update_norm')[row] = NaN;
  writer.column('step_ms')[row] = 4;
  writer.column('log_ms')[row] = 0.2;
  for (const group of groups) writer.column(groupColumnName('examples_', group))[row] = 4;
  writer.flush();
  run.update({ stepsDone: step });
  await setTimeout(Number(pauseText));
}
writer.close();
await finalizeTable(folder, 'steps');
run.end('complete');
