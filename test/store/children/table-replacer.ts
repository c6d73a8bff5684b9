/**
 * Writes an analysis of its own into the folder in argv[2] again and again for 700 ms: the table `gram`, whose steps are
 * all argv[3], and a document.
 */
import { writeAtomically } from '../../../src/store/atomic-file.js';
import { nodeFileSystem } from '../../../src/store/file-system.js';
import { NewTables } from '../../../src/store/new-tables.js';
import { tables } from '../../../src/store/tables/registry.js';
import { dimensions } from '../samples.js';

const [, , folder = '', step = '1'] = process.argv;
process.stdout.write('replacing\n');
for (const end = Date.now() + 700; Date.now() < end;) {
  writeAtomically(nodeFileSystem, `${folder}/analysis.json`, JSON.stringify(Array(300).fill(step)));
  const replaced = new NewTables(folder);
  const writer = replaced.open({ table: tables.gram, dimensions, batchRows: 50 });
  for (let i = 0; i < 300; i++) {
    const row = writer.reserve(1);
    for (const name of ['stage', 'tensor', 'group_a', 'group_b'] as const) writer.column(name)[row] = 0;
    writer.column('step')[row] = Number(step);
    writer.column('inner')[row] = Number(step);
  }
  await replaced.publish();
}
