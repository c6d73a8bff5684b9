import type { Threads } from '../../train/engine/load.js';
import type { EngineName } from '../../train/engine/names.js';
import type { MemorySize } from '../queue/memory-size.js';

/** What `gradscope sweep` is called with. */
export interface SweepFlags {
  readonly set: readonly string[];
  readonly seeds?: number[];
  readonly out: string;
  readonly existing: 'resume' | 'overwrite';
  readonly report?: boolean;
  /** With `report` and `probe`: exit code 75 while runs are missing. */
  readonly requireComplete?: boolean;
  readonly status?: boolean;
  readonly json?: boolean;
  /** Folder of a pilot, or the folder of the runs itself. */
  readonly power?: string | true;
  readonly engine: EngineName | 'auto';
  readonly threads?: Threads;
  /** Names of probes, separated by commas, or those that the sweep needs. */
  readonly probe?: string | true;
  readonly analyze?: boolean;
  /** `I/N` or `I`. */
  readonly task?: string;
  readonly steal?: 'on' | 'off';
  readonly pack?: number | 'auto';
  readonly mem?: MemorySize;
  /** Most times that a task of Slurm asks to be queued again. */
  readonly requeue?: number | true;
  readonly emit?: 'commands' | 'sbatch' | 'k8s';
  readonly slurm?: boolean;
  readonly dryRun?: boolean;
  readonly partition?: string;
  readonly time?: string;
  readonly cpus?: number;
  readonly gpus?: number;
  readonly arrayLimit?: number;
  readonly account?: string;
  readonly sbatch?: readonly string[];
}
