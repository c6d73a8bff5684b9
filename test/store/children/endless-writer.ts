/** Writes rows to two tables of the folder in argv[2] until it is killed, a batch every few steps. */
import { RunFolder } from '../../../src/store/run-folder.js';
import { tables } from '../../../src/store/tables/registry.js';
import { TableWriter } from '../../../src/store/table-writer.js';
import { dimensions, newRun } from '../samples.js';

const folder = process.argv[2] ?? '';
RunFolder.create(folder, newRun, 'experiment: test\n');
const gradients = TableWriter.create({ folder, table: tables.gradients, dimensions, batchRows: 40 });
const vectors = TableWriter.create({ folder, table: tables.vectors, dimensions, batchRows: 1 });
const values = new Float32Array(200_000);
for (let step = 1; ; step++) {
  const first = gradients.reserve(7);
  for (let row = first; row < first + 7; row++) {
    for (const name of ['stage', 'group', 'tensor'] as const) gradients.column(name)[row] = 0;
    gradients.column('step')[row] = step;
    gradients.column('norm2')[row] = step / 8;
  }
  const row = vectors.reserve(1);
  for (const name of ['stage', 'group', 'tensor', 'chunk', 'offset'] as const) vectors.column(name)[row] = 0;
  vectors.column('step')[row] = step;
  vectors.column('values').push(values.fill(step));
  vectors.flush();
  if (step === 20) process.stdout.write('writing\n');
}
