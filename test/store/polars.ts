import { createRequire } from 'node:module';

/** What the tests use of nodejs-polars, whose own declarations do not pass the compiler's strict check. */
interface Polars {
  /** Read the Arrow file format. */
  readIPC: (bytes: Uint8Array) => Frame;
  /** Read the Arrow stream format. */
  readIPCStream: (bytes: Uint8Array) => Frame;
  readParquet: (path: string) => Frame;
  readCSV: (path: string) => Frame;
}

export interface Frame {
  readonly shape: { readonly height: number; readonly width: number };
  readonly columns: readonly string[];
  readonly toRecords: () => Record<string, unknown>[];
}

/** Another implementation of Arrow, in Rust. */
export const polars: Polars = createRequire(import.meta.url)('nodejs-polars');
