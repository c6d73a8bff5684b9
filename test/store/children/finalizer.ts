/** Writes a stream of argv[3] MB to the folder in argv[2], finalizes it and prints the peak memory in MB. */
import { finalizeTable } from '../../../src/store/finalize.js';
import { tables } from '../../../src/store/tables/registry.js';
import { TableWriter } from '../../../src/store/table-writer.js';
import { dimensions } from '../samples.js';

const [, , folder = '', megabytes = '10'] = process.argv;
const writer = TableWriter.create({ folder, table: tables.gradients, dimensions, batchRows: 2000 });
while (writer.byteOffset < Number(megabytes) * 1e6) {
  const first = writer.reserve(2000);
  for (const name of ['stage', 'group', 'tensor'] as const) writer.column(name).fill(0, first);
  writer.column('step').fill(writer.rowsWritten, first);
  writer.column('norm2').fill(1, first);
}
writer.close();
const { rows } = await finalizeTable(folder, 'gradients');
// Unit: ru_maxrss is in kB.
console.log(JSON.stringify({ rows, peak: process.resourceUsage().maxRSS / 1000 }));
