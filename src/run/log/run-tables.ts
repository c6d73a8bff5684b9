import { UserError } from '../../../data/errors.js';
import { finalizeTable } from '../../store/finalize.js';
import { nodeFileSystem, type FileSystem } from '../../store/file-system.js';
import type { Dimensions, TableDefinition } from '../../store/columns.js';
import { endOfWholeMessages } from '../../store/resume-stream.js';
import { type RunMetadata } from '../../store/table-schema.js';
import { tables } from '../../store/tables/registry.js';
import { streamPath } from '../../store/table-paths.js';
import { TableWriter } from '../../store/table-writer.js';
import { reaches, type LogTier } from '../../store/log-tier.js';

/** Lengths of the streams of a run's tables, in bytes: where a resumed run cuts them and goes on. */
export type TableOffsets = Readonly<Record<string, number>>;

/** What a run may report in its `events` table. */
export type EventKind = 'start' | 'checkpoint' | 'resume' | 'interrupt' | 'nan' | 'warning' | 'stop' | 'end';

/** Names of the tables that a run may write while it trains. */
export const tablesOfTraining: readonly string[] = [
  tables.steps,
  tables.batches,
  tables.cooccurrence,
  tables.examples,
  tables.metrics,
  tables.events,
  tables.gradients,
  tables.gram,
  tables.sketches,
  tables.vectors,
].map(({ name }) => name);

/** What all writers have, whatever their columns. */
type OpenTable = Pick<
  TableWriter<TableDefinition>,
  'flush' | 'sync' | 'close' | 'discard' | 'byteOffset' | 'path' | 'rowsWritten'
>;

/** The open tables of one run; those its tier does not keep are null. */
export class RunTables {
  readonly steps: TableWriter<typeof tables.steps>;
  // These are null for a run that an earlier version began.
  readonly batches: TableWriter<typeof tables.batches> | null;
  readonly cooccurrence: TableWriter<typeof tables.cooccurrence> | null;
  readonly examples: TableWriter<typeof tables.examples> | null;
  readonly metrics: TableWriter<typeof tables.metrics>;
  readonly gradients: TableWriter<typeof tables.gradients> | null;
  readonly gram: TableWriter<typeof tables.gram> | null;
  readonly sketches: TableWriter<typeof tables.sketches> | null;
  readonly vectors: TableWriter<typeof tables.vectors> | null;
  private readonly events: TableWriter<typeof tables.events>;
  private readonly opened: OpenTable[] = [];
  private readonly names: string[] = [];

  /**
   * Creates the tables of a tier, or, with the offsets of a checkpoint, cuts them there and goes on. Only `events` is
   * never cut: what happened has happened, also when the training that it happened to is taken back.
   * Throws a UserError when the folder cannot be written or a table is not as it was.
   */
  constructor(
    private readonly folder: string,
    tier: LogTier,
    dimensions: Dimensions,
    metadata: RunMetadata,
    offsets: TableOffsets | null,
    private readonly fs: FileSystem = nodeFileSystem,
  ) {
    const open = <D extends TableDefinition>(table: D): TableWriter<D> => {
      const options = { folder, table, dimensions, metadata, fs };
      const writer =
        offsets === null
          ? TableWriter.create(options)
          : TableWriter.resume({ ...options, byteOffset: offsetOf(table.name, offsets) });
      this.opened.push(writer);
      this.names.push(table.name);
      return writer;
    };
    const openOfTier = <D extends TableDefinition & { readonly tier: LogTier }>(
      table: D,
    ): TableWriter<D> | null => (reaches(tier, table.tier) ? open(table) : null);
    const offsetOf = (table: string, of: TableOffsets): number => {
      const offset = of[table] ?? 0;
      return table === tables.events.name
        ? Math.max(offset, endOfWholeMessages(fs, streamPath(folder, table)))
        : offset;
    };
    try {
      this.steps = open(tables.steps);
      const isKept = ({ name }: TableDefinition): boolean => offsets === null || Object.hasOwn(offsets, name);
      this.batches = isKept(tables.batches) ? open(tables.batches) : null;
      this.cooccurrence = isKept(tables.cooccurrence) ? open(tables.cooccurrence) : null;
      this.examples = isKept(tables.examples) ? open(tables.examples) : null;
      this.metrics = open(tables.metrics);
      this.events = open(tables.events);
      this.gradients = openOfTier(tables.gradients);
      this.gram = openOfTier(tables.gram);
      this.sketches = openOfTier(tables.sketches);
      this.vectors = openOfTier(tables.vectors);
    } catch (error) {
      this.close();
      throw error;
    }
  }

  /** Writes what is pending and brings it to the device; returns the offsets for a checkpoint. */
  sync(): TableOffsets {
    this.flush();
    for (const writer of this.opened) writer.sync();
    return Object.fromEntries(this.opened.map((writer, i) => [this.names[i]!, writer.byteOffset]));
  }

  /** Writes what is pending, so that readers that follow the run see it. */
  flush(): void {
    for (const writer of this.opened) writer.flush();
  }

  /** Appends an event and writes it at once. */
  event(step: number, kind: EventKind, message: string, time: number): void {
    appendEvent(this.events, step, kind, message, time);
  }

  /** Closes all tables, also when what is pending in one cannot be written; then throws the first reason. */
  close(): void {
    let failure: unknown = null;
    for (const writer of this.opened) {
      try {
        writer.close();
      } catch (error) {
        failure ??= error;
      }
    }
    if (failure !== null) throw failure;
  }

  /** Closes all tables without what is pending, which belongs nowhere any more. */
  abandon(): void {
    for (const writer of this.opened) writer.discard();
    this.close();
  }

  /** Throws a UserError when the stream of a table is not where it was opened: somebody removed or moved it. */
  requireThere(): void {
    const gone = this.opened.find(({ path }) => !this.fs.exists(path));
    if (gone === undefined) return;
    throw new UserError(
      `${gone.path}: was removed or moved while the run wrote it; put it back and resume the run, or start anew`,
    );
  }

  /** Rewrites the closed streams of a run that ended well as Arrow files. */
  async finalize(): Promise<void> {
    const written = this.opened.map(({ rowsWritten }, i) => ({ name: this.names[i]!, rows: rowsWritten }));
    for (const { name, rows } of finalOrder(written, (own) => own.name))
      await finalizeTable(this.folder, name, { fs: this.fs, rows });
  }
}

/** The table that becomes a file last: a run that is stopped on the way there can still say so. */
export const lastFinalized = tables.events.name;

/** Items, each of a table, in the order in which the tables become files. */
export function finalOrder<T>(items: readonly T[], tableOf: (item: T) => string): T[] {
  return items.toSorted(
    (a, b) => Number(tableOf(a) === lastFinalized) - Number(tableOf(b) === lastFinalized),
  );
}

/** Appends an event and writes it at once. */
export function appendEvent(
  events: TableWriter<typeof tables.events>,
  step: number,
  kind: EventKind,
  message: string,
  time: number,
): void {
  const row = events.reserve(1);
  events.column('step')[row] = step;
  events.column('time')[row] = time;
  events.column('kind')[row] = events.indexOf('kind', kind);
  events.column('message')[row] = message;
  events.flush();
}
