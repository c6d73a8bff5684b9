/** The file that an experiment or a study from outside comes from. */
export interface ModuleFile {
  /** Absolute. */
  readonly path: string;
  /** SHA-256 of the file, in hexadecimal; of what it imports nothing is kept. */
  readonly sha256: string;
}
