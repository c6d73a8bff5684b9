import { nodeEnvironment, type Environment } from '../store/environment.js';
import { exchangedSuffix, type RunInfo } from '../store/run-info.js';
import { readRunInfo } from '../store/run-folder.js';
import { statusOfRun } from '../store/run-status.js';
import { exchangedStage } from './config.js';
import { plannedCost } from './planned-cost.js';
import { armFolders } from './sweep.js';
import type { Sweep, SweepArm } from './sweep-config.js';

/** How far the run of a seed is. */
export interface SeedStatus {
  readonly seed: number;
  readonly folder: string;
  readonly status: RunInfo['status'] | 'missing';
  /** Why it failed; null otherwise. */
  readonly failure: string | null;
}

/** How far the runs of an arm are. */
export interface ArmStatus {
  readonly arm: string;
  readonly runs: number;
  readonly seeds: readonly SeedStatus[];
  readonly complete: number;
  readonly running: number;
  readonly interrupted: number;
  readonly failed: number;
  readonly missing: number;
  /** Updates that are done, and of all its runs, those with exchanged tags among them; failed runs count as through. */
  readonly stepsDone: number;
  readonly stepsTotal: number;
  /** Runs that lack tables of probes which the sweep asks for, those to be trained among them; no failed ones. */
  readonly toProbe: number;
}

/** How far a sweep is. */
export interface SweepStatus {
  readonly sweep: string;
  readonly arms: readonly ArmStatus[];
  readonly stepsDone: number;
  readonly stepsTotal: number;
  /** Wall time of an update of one run, trained together as they were; null before a run is complete. */
  readonly secondsPerStep: number | null;
  /** Of training, at that rate; null where it is not known. */
  readonly secondsLeft: number | null;
  /** Runs of all arms to probe; the time does not hold them. */
  readonly toProbe: number;
}

/**
 * How far the runs of a sweep are, and how long the rest will take at the rate of those that are complete: wall time from
 * the start of the runs that trained together to the end of the last of them, over their updates. A run that was stopped
 * for long makes it slower than it was.
 *
 * @param isProbed whether a run in a folder has the tables of the probes that the sweep asks for
 */
export function sweepStatus(
  sweep: Sweep,
  root: string,
  isProbed: (folder: string) => boolean = () => true,
  environment: Environment = nodeEnvironment,
): SweepStatus {
  const infos: RunInfo[] = [];
  const arms = sweep.arms.map((arm) => armStatus(arm, root, { isProbed, environment, infos }));
  const sum = (of: (own: ArmStatus) => number): number => arms.reduce((all, own) => all + of(own), 0);
  const [stepsDone, stepsTotal] = [sum((own) => own.stepsDone), sum((own) => own.stepsTotal)];
  const secondsPerStep = rateOf(infos);
  return {
    sweep: sweep.name,
    arms,
    stepsDone,
    stepsTotal,
    secondsPerStep,
    secondsLeft:
      stepsDone === stepsTotal
        ? 0
        : secondsPerStep === null
          ? null
          : (stepsTotal - stepsDone) * secondsPerStep,
    toProbe: sum((own) => own.toProbe),
  };
}

interface StatusSource {
  readonly isProbed: (folder: string) => boolean;
  readonly environment: Environment;
  /** Gets what the runs say. */
  readonly infos: RunInfo[];
}

function armStatus(arm: SweepArm, root: string, { isProbed, environment, infos }: StatusSource): ArmStatus {
  const { config } = arm;
  const { stages, steps } = plannedCost(config);
  const before = config.tagExchange
    ? stages.slice(0, exchangedStage(config)).reduce((all, own) => all + own.steps, 0)
    : steps;
  const seeds: SeedStatus[] = [];
  let [stepsDone, toProbe] = [0, 0];
  for (const [i, folder] of armFolders(arm, root).entries()) {
    const seed = arm.seeds[i]!;
    const info = infoAt(folder);
    if (info === null) {
      seeds.push({ seed, folder, status: 'missing', failure: null });
      toProbe += isProbed(folder) ? 0 : 1;
      continue;
    }
    infos.push(info);
    const { status } = statusOfRun(folder, info, environment);
    seeds.push({ seed, folder, status, failure: status === 'failed' ? info.failure : null });
    if (status === 'failed') {
      stepsDone += steps + steps - before;
      continue;
    }
    toProbe += isProbed(folder) ? 0 : 1;
    stepsDone += info.stepsDone;
    const half = config.tagExchange ? infoAt(`${folder}${exchangedSuffix}`) : null;
    if (half === null) continue;
    infos.push(half);
    stepsDone += Math.max(0, half.stepsDone - before);
  }
  const count = (status: SeedStatus['status']): number => seeds.filter((own) => own.status === status).length;
  return {
    arm: arm.name,
    runs: arm.seeds.length,
    seeds,
    complete: count('complete'),
    running: count('running'),
    interrupted: count('interrupted'),
    failed: count('failed'),
    missing: count('missing'),
    stepsDone,
    stepsTotal: arm.seeds.length * (steps + steps - before),
    toProbe,
  };
}

function infoAt(folder: string): RunInfo | null {
  try {
    return readRunInfo(folder);
  } catch {
    return null;
  }
}

/** Seconds of an update of a run, over the groups of runs that are all complete. */
function rateOf(infos: readonly RunInfo[]): number | null {
  const groups = new Map<string, RunInfo[]>();
  for (const info of infos) {
    const key = info.group ?? `${info.name} ${info.seed}`;
    groups.set(key, [...(groups.get(key) ?? []), info]);
  }
  let [seconds, steps] = [0, 0];
  for (const own of groups.values()) {
    if (own.some(({ status, ended }) => status !== 'complete' || ended === null)) continue;
    const start = Math.min(...own.map(({ started }) => Date.parse(started)));
    const end = Math.max(...own.map(({ ended }) => Date.parse(ended!)));
    seconds += (end - start) / 1000;
    steps += own.reduce(
      (sum, info) => sum + info.stepsTotal - (info.exchangeOf === undefined ? 0 : firstOf(info)),
      0,
    );
  }
  return steps === 0 ? null : seconds / steps;
}

/** Updates that the exchanged half of a run takes over from it. */
function firstOf({ stages }: RunInfo): number {
  return stages.at(-1)?.firstStep ?? 0;
}
