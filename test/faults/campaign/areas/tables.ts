import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { readColumns } from '../../../../src/store/read-columns.js';
import { recoverRun } from '../../../../src/store/recover.js';
import { TableReader } from '../../../../src/store/table-reader.js';
import type { ColumnSet } from '../../../../src/store/column-views.js';
import type { Area, CaseContext, CaseResult } from '../area.js';
import { mutateBytes, mutateNumbers, oneOf, type Mutation } from '../mutations.js';
import { attempt, problemsOf } from '../outcome.js';
import { wholeMessages } from '../run-content.js';
import { crashedRun, wholeRun } from '../scenarios.js';

/** What a reader gave. */
interface TableContent {
  readonly rows: number;
  /** Digest of names, kinds and values of all columns; empty where an index lies outside its dictionary. */
  readonly digest: string;
}

/** Damaged tables, read by the reader that everything uses. */
export const tablesArea: Area = {
  name: 'tables',
  title: 'damaged tables: the same values, or a refusal',
  count: 5000,
  limit: 15,
  needs: ['probe', 'crashed'],
  run: damagedTable,
};

async function damagedTable({ random, work, folder }: CaseContext): Promise<CaseResult> {
  const stream = random.uniform() < 0.35;
  const run = stream ? crashedRun(work, 0) : wholeRun(work, 0);
  const files = fs
    .readdirSync(run)
    .filter((name) => name.endsWith(stream ? '.arrows' : '.arrow'))
    .sort();
  const file = oneOf(random, files);
  const bytes = fs.readFileSync(path.join(run, file));
  const extension = path.extname(file);
  const table = path.basename(file, extension);
  const wanted = await contentOf(run, table);

  let name = table;
  let mutation: Mutation<Uint8Array>;
  const roll = random.uniform();
  if (roll < 0.08) {
    // Under the name of another table.
    name = oneOf(
      random,
      files.filter((other) => other !== file).map((other) => path.basename(other, extension)),
    );
    mutation = { what: `named ${name}`, value: bytes };
  } else if (roll < 0.45) {
    const end = random.uniform() < 0.7 ? Math.min(bytes.length, 6000) : bytes.length;
    mutation = mutateNumbers(random, bytes, end);
  } else mutation = mutateBytes(random, bytes);
  const what = `${file}: ${mutation.what}`;
  fs.writeFileSync(path.join(folder, `${name}${extension}`), mutation.value);

  const outcome = await attempt(() => contentOf(folder, name));
  const problems = problemsOf(outcome);
  const same = Buffer.from(mutation.value).equals(bytes) && name === table;
  if (outcome.kind === 'done') {
    problems.push(
      ...(stream ? streamProblems(outcome.value) : fileProblems(outcome.value, wanted, name !== table)),
    );
  } else if (same) problems.push('a table that was not changed is refused');
  if (stream && problems.length === 0) problems.push(...(await recoveryProblems(folder, name, outcome)));
  return { what, problems };
}

function fileProblems(own: TableContent, wanted: TableContent, renamed: boolean): string[] {
  if (renamed) return ['another table is read under this name without a word'];
  if (own.digest === wanted.digest) return [];
  return [`other values without a word (${own.rows} rows of ${wanted.rows})`];
}

/** Streams hold no checksum: they are being written. What is asked of them is that no value is impossible. */
function streamProblems(own: TableContent): string[] {
  return own.digest === '' ? ['an index outside its dictionary'] : [];
}

/** `recover` makes a file of what the reader reads, and keeps the stream where something is missing. */
async function recoveryProblems(
  folder: string,
  name: string,
  read: { readonly kind: string; readonly value?: TableContent },
): Promise<string[]> {
  const stream = path.join(folder, `${name}.arrows`);
  const bytes = fs.readFileSync(stream);
  const recovered = await attempt(() => recoverRun(folder));
  if (recovered.kind !== 'done') return problemsOf(recovered);
  const [table] = recovered.value;
  const file = path.join(folder, `${name}.arrow`);
  if (!fs.existsSync(file)) return fs.existsSync(stream) ? [] : ['recover: neither file nor stream is left'];
  const own = await attempt(() => contentOf(folder, name));
  if (own.kind !== 'done')
    return [`recover: its file cannot be read: ${'message' in own ? own.message : own.problem}`];
  const problems: string[] = [];
  const { end } = wholeMessages(bytes);
  if (read.value !== undefined && own.value.digest !== read.value.digest)
    problems.push('recover: other values than the stream had');
  if (end < bytes.length - 8 && table?.backup === null && !fs.existsSync(`${stream}.bak`))
    problems.push(`recover: ${bytes.length - end} bytes are lost and nothing is kept`);
  return problems;
}

/** Reads a whole table, batch by batch and column by column. */
async function contentOf(folder: string, name: string): Promise<TableContent> {
  const reader = await TableReader.open(folder, name);
  try {
    const names = reader.columns.map((column) => column.name);
    for (let i = 0; i < reader.batches.length; i++) await reader.readBatch(i);
    const whole = await readColumns(reader, names);
    if (whole.rows !== reader.rows) throw new Error(`${whole.rows} rows read of ${reader.rows}`);
    return { rows: whole.rows, digest: digestOf(whole, names) };
  } finally {
    await reader.close();
  }
}

/** As {@link TableContent.digest}. */
function digestOf(batch: ColumnSet, names: readonly string[]): string {
  const hash = createHash('sha256');
  for (const name of names) {
    const view = batch.view(name);
    hash.update(`${name} ${view.kind} ${view.length}\n`);
    const isValid = (row: number): boolean => view.valid === null || view.valid[row] === 1;
    hash.update(Uint8Array.from({ length: view.length }, (_, row) => (isValid(row) ? 1 : 0)));
    if (view.kind === 'dictionary') {
      for (let row = 0; row < view.length; row++) {
        if (!isValid(row)) continue;
        const value = view.values[view.indices[row]!];
        if (value === undefined) return '';
        hash.update(`${value}\n`);
      }
    } else if (view.kind === 'utf8') view.values.forEach((text) => hash.update(`${text}\n`));
    else {
      const { values } = view;
      hash.update(new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
      if ('offsets' in view) {
        // A batch may begin anywhere in a shared buffer: the lengths of the lists are what counts.
        hash.update(
          Int32Array.from({ length: view.length }, (_, i) => view.offsets[i + 1]! - view.offsets[i]!),
        );
      }
    }
  }
  return hash.digest('hex');
}
