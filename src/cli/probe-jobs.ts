import { fork } from 'node:child_process';
import fs from 'node:fs';
import { z } from 'zod';
import { UserError } from '../../data/errors.js';
import { availableProcessors } from '../machine/processors.js';
import type { ProbeProgress } from '../probe/prober.js';
import type { Threads } from '../train/engine/load.js';

/** What became of a run: its tables are there, it cannot be probed, or another process holds it. */
const outcomeSchema = z.enum(['probed', 'failed', 'busy']);

export type RunOutcome = z.infer<typeof outcomeSchema>;

/** What a process that probes some runs tells the one that began it. */
const reportSchema = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('progress'),
    progress: z.object({ folder: z.string(), step: z.number(), totalSteps: z.number(), share: z.number() }),
  }),
  z.object({ kind: z.literal('message'), text: z.string() }),
  /** A run has ended. */
  z.object({ kind: z.literal('run'), outcome: outcomeSchema }),
  /** All have. */
  z.object({ kind: z.literal('end') }),
]);

export type ProbeReport = z.infer<typeof reportSchema>;

/** Memory of a process that probes a narrow model, with room to spare. */
const bytesPerProcess = 1.5e9;

/** Share of the available memory that they may take together. */
const memoryShare = 0.5;

/**
 * Processes that probe runs side by side. Models whose ops run on one thread fill a core each; wider ones fill all cores
 * from one process, and a GPU is one process's.
 *
 * @param available memory in bytes
 */
export function jobsFor(runs: number, { intraOp }: Threads, available: number): number {
  if (intraOp > 1 || fs.existsSync('/dev/nvidiactl')) return 1;
  const fitting = Math.floor((available * memoryShare) / bytesPerProcess);
  return Math.max(1, Math.min(runs, fitting, availableProcessors()));
}

/** Who hears of runs that are probed in other processes; `job` numbers the processes. */
export interface JobsWatch {
  readonly onProgress: (job: number, progress: ProbeProgress) => void;
  readonly onMessage: (text: string) => void;
  readonly onRun: (job: number, outcome: RunOutcome) => void;
}

/**
 * Probes runs in `jobs` processes with this command line, each with its share of the runs. They end with this one: by
 * the signals of the terminal, or when they see that it is gone.
 *
 * @param flags of `gradscope probe`
 * @throws UserError when a process ended before it was through; the others end first
 */
export async function probeInJobs(
  folders: readonly string[],
  jobs: number,
  flags: readonly string[],
  watch: JobsWatch,
): Promise<void> {
  const shares = Array.from({ length: jobs }, (_, job) => folders.filter((_, i) => i % jobs === job));
  const ends = await Promise.all(shares.map((own, job) => probeShare(own, job, flags, watch)));
  const early = ends.find((end) => end !== null);
  if (early === undefined) return;
  throw new UserError(
    `a process that probed runs ended before it was through (${early}); ` +
      'the tables that it had written are there, and --missing goes on with the others',
  );
}

/** Resolves to null, or to how the process ended before it was through. */
function probeShare(
  folders: readonly string[],
  job: number,
  flags: readonly string[],
  watch: JobsWatch,
): Promise<string | null> {
  const child = fork(process.argv[1]!, ['probe', ...folders, ...flags, '--within'], {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  let ended = false;
  child.on('message', (message) => {
    const report = reportSchema.parse(message);
    if (report.kind === 'progress') watch.onProgress(job, report.progress);
    else if (report.kind === 'message') watch.onMessage(report.text);
    else if (report.kind === 'run') watch.onRun(job, report.outcome);
    else ended = true;
  });
  return new Promise((resolve) => {
    child.once('error', (error) => resolve(error.message));
    // Not `exit`: messages may come after it.
    child.once('close', (code, signal) => resolve(ended ? null : (signal ?? `exit code ${code}`)));
  });
}

/** Tells the process that began this one how it goes; without it there is nothing to go on for. */
export function reporter(): { tell(report: ProbeReport): void; end(): void } {
  const stop = (): never => process.exit(1);
  process.once('disconnect', stop);
  return {
    tell: (report) => {
      if (process.connected) process.send?.(report);
    },
    end: () => {
      process.off('disconnect', stop);
      if (process.connected)
        process.send?.({ kind: 'end' } satisfies ProbeReport, () => process.disconnect());
    },
  };
}
