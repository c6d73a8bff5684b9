import type { Sweep } from '../../run/sweep-config.js';
import type { TaskWork } from '../../run/train-sweep.js';
import { exitCodeOfRuns, exitCodes } from '../exit-codes.js';
import { tell } from '../output.js';
import { ProgressLine, standardError } from '../progress.js';
import { listenForStop } from '../stop-signals.js';
import { versions } from '../version.js';
import type { SweepFlags } from './flags.js';

/** How the training of a sweep, or of a task of it, ended. */
export interface SweepTrained {
  readonly code: number;
  /** Whether it was told to stop before it was through. */
  readonly isStopped: boolean;
  /** Runs that are left to other processes. */
  readonly busy: number;
}

/** Trains the runs of a sweep, or of a task of it, that nobody else trains. */
export async function trainSweep(loaded: Sweep, flags: SweepFlags, task?: TaskWork): Promise<SweepTrained> {
  const { defaultThreads, loadEngine } = await import('../../train/engine/load.js');
  const { modelWidth } = await import('../../train/models/registry.js');
  const { isTrained, runSweep } = await import('../../run/train-sweep.js');
  const repair = flags.existing === 'overwrite';
  if (!repair && isTrained(loaded, flags.out, task)) {
    tell('all runs are complete already and are left as they are');
    return { code: exitCodes.done, isStopped: false, busy: 0 };
  }
  const width = Math.max(...loaded.arms.map(({ config }) => modelWidth(config.model)));
  const engine = await loadEngine({
    engine: flags.engine,
    threads: flags.threads ?? defaultThreads({ width }),
  });

  const line = new ProgressLine(standardError());
  if (engine.notice !== null) line.message(engine.notice);
  const stop = listenForStop(line);
  try {
    const { end, failed, busy } = await runSweep(
      loaded,
      {
        root: flags.out,
        engine,
        command: ['gradscope', ...process.argv.slice(2)],
        signal: stop.signal,
        onProgress: (progress) => line.update(progress),
        onMessage: (message) => line.message(message),
        versions: { ...versions(), engine: engine.version },
      },
      {
        task,
        repair,
        onPiece: ({ arms, runs }, isOwn) => {
          line.end();
          const first = loaded.arms.indexOf(arms[0]!) + 1;
          const names = arms.map(({ name }) => name).join(', ');
          const count = runs.length === 1 ? `seed ${runs[0]!.seed}` : `${runs.length} runs`;
          const how = `${arms.length > 1 ? ', together' : ''}${isOwn ? '' : ' (of another task)'}`;
          line.message(`arm ${first} of ${loaded.arms.length}: ${names}, ${count}${how}`);
        },
      },
    );
    line.end();
    for (const text of reasonLines(failed)) tell(`gradscope: ${text}`);
    if (end === 'interrupted') {
      tell('interrupted; the same command goes on');
      return { code: stop.exitCode, isStopped: true, busy: busy.length };
    }
    for (const text of reasonLines(busy)) tell(`gradscope: left to another process: ${text}`);
    return { code: exitCodeOfRuns({ failed, busy }), isStopped: false, busy: busy.length };
  } finally {
    line.end();
    stop.release();
  }
}

/** Folders with their reasons, a line for each reason. */
function reasonLines(runs: readonly { readonly folder: string; readonly reason: string }[]): string[] {
  const byReason = new Map<string, string[]>();
  for (const { folder, reason } of runs) byReason.set(reason, [...(byReason.get(reason) ?? []), folder]);
  return [...byReason].map(([reason, [first = '', ...others]]) => {
    const more = others.length === 0 ? '' : ` (and ${others.length} more)`;
    return reason.includes(first) ? `${reason}${more}` : `${first}${more}: ${reason}`;
  });
}
