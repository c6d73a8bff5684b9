import { UserError } from '../../data/errors.js';
import { writeArrowFile } from './arrow-file.js';
import type { TableDefinition } from './columns.js';
import { nodeEnvironment } from './environment.js';
import type { Environment } from './environment.js';
import { removeQuietly, systemMessage } from './file-system.js';
import { publish } from './finalize.js';
import { adviceFor, systemCode } from './system-error.js';
import { filePath, streamPath } from './table-paths.js';
import { TableReader } from './table-reader.js';
import { TableWriter } from './table-writer.js';
import type { TableWriterOptions } from './table-writer.js';
import { removeRemains, temporaryPath } from './temporary.js';

/** A table that is being written. */
interface NewTable {
  readonly name: string;
  readonly close: () => void;
  /** Rows written, once it is closed. */
  readonly rows: () => number;
  /** The stream, and the file that is made of it, under names that no reader looks for. */
  readonly stream: string;
  readonly file: string;
}

/**
 * Tables of a folder that are computed anew: earlier ones stay until all new ones are whole, then each is replaced in
 * one step. Other processes may do the same in the same folder at the same time; the last one's tables stay.
 */
export class NewTables {
  readonly #tables: NewTable[] = [];

  /** Removes what processes that were killed in the middle left in the folder. */
  constructor(
    private readonly folder: string,
    private readonly environment: Environment = nodeEnvironment,
  ) {
    removeRemains(environment.fs, folder, environment);
  }

  /** Open a table. Throws a UserError when it cannot be written. */
  open<D extends TableDefinition>(
    options: Omit<TableWriterOptions<D>, 'folder' | 'fs' | 'path'>,
  ): TableWriter<D> {
    const { folder } = this;
    const { name } = options.table;
    const stream = temporaryPath(streamPath(folder, name));
    const writer = TableWriter.create({ ...options, folder, fs: this.environment.fs, path: stream });
    this.#tables.push({
      name,
      close: () => writer.close(),
      rows: () => writer.rowsWritten,
      stream,
      file: temporaryPath(filePath(folder, name)),
    });
    return writer;
  }

  /**
   * Make files of the tables and give them their names; remove the earlier tables of other names in `replaced`. Throws a
   * UserError when the device does not take them: the earlier ones stay then.
   */
  async publish(replaced: readonly string[] = []): Promise<void> {
    const { fs } = this.environment;
    try {
      for (const table of this.#tables) await this.#finish(table);
      for (const { name, file } of this.#tables) publish(fs, file, filePath(this.folder, name));
      const names = this.#tables.map(({ name }) => name);
      for (const name of replaced.filter((own) => !names.includes(own)))
        this.#remove(filePath(this.folder, name));
      // Streams of these names are those of a probe of an earlier version that was killed.
      for (const name of [...names, ...replaced]) this.#remove(streamPath(this.folder, name));
    } finally {
      this.discard();
    }
  }

  /** Close the tables and forget what was written; earlier tables stay. */
  discard(): void {
    for (const { close, stream, file } of this.#tables.splice(0)) {
      try {
        close();
      } catch {
        // What is pending is to be forgotten anyway.
      }
      removeQuietly(this.environment.fs, stream);
      removeQuietly(this.environment.fs, file);
    }
  }

  async #finish({ name, close, rows, stream, file }: NewTable): Promise<void> {
    const { fs } = this.environment;
    close();
    const reader = await TableReader.openStream(stream, this.folder, name);
    try {
      if (reader.rows !== rows()) {
        throw new UserError(`${stream}: holds ${reader.rows} rows, but ${rows()} were written`);
      }
      await writeArrowFile(reader, file, { fs });
    } finally {
      await reader.close();
    }
    // Before the next table is made a file, so that no more room than for one is needed twice.
    removeQuietly(fs, stream);
  }

  #remove(path: string): void {
    try {
      this.environment.fs.remove(path);
    } catch (error) {
      throw new UserError(
        `${path}: cannot be removed (${systemMessage(error)}); ${adviceFor(systemCode(error))}`,
        { cause: error },
      );
    }
  }
}
