import type { ExportedColumn, ExportedRows } from './exported-columns.js';

/** Where the bytes of an exported file go, in order. */
export type ByteSink = (chunks: readonly Uint8Array[]) => void;

/** Writes a table in one format. */
export interface TableSink {
  /** Writes some rows. Their memory may be used again when this is done. */
  write(rows: ExportedRows): void | Promise<void>;
  /** Writes what the format has at its end. */
  finish(): void | Promise<void>;
}

/** What is said of a table in the file. */
export interface ExportedTable {
  readonly name: string;
  readonly columns: readonly ExportedColumn[];
  /** The command that wrote it. */
  readonly command: string;
}

/** A format of exported tables; the end of a file's name chooses it. */
export interface ExportFormat {
  readonly ending: string;
  /** Rows that are written at once: large pieces are read faster, small ones take less memory. */
  readonly rowsAtOnce: number;
  open(table: ExportedTable, sink: ByteSink): TableSink;
}
