import { performance } from 'node:perf_hooks';
import type { Metrics } from '../run/evaluation.js';
import type { TrainingProgress } from '../run/session.js';
import type { ProgressTarget } from '../train/engine/setup/index.js';
import { writeStatus } from './output.js';
import { StatusLine } from './status-line.js';
import { columnsOf, isTerminal } from '../report/terminal.js';

/** Shows how runs come along: stage, step, rate, time left, loss, and the last accuracies. */
export class ProgressLine {
  private readonly line: StatusLine;
  private started: number | null = null;
  private firstStep = 0;
  private lastStep = 0;

  constructor(target: ProgressTarget) {
    this.line = new StatusLine(target);
  }

  update(progress: TrainingProgress): void {
    const now = this.line.now();
    // The next runs of many begin at an earlier step: their rate is their own.
    if (this.started === null || progress.step < this.lastStep) {
      this.started = now;
      this.firstStep = progress.step;
    }
    this.lastStep = progress.step;
    const seconds = now - this.started;
    this.line.show(() => this.describe(progress, seconds), progress.step === progress.totalSteps);
  }

  /** Prints a message, leaving the live line intact below it. */
  message(text: string): void {
    this.line.message(text);
  }

  /** Ends the live line; the next update starts a new measurement of the rate. */
  end(): void {
    this.line.end();
    this.started = null;
  }

  private describe(progress: TrainingProgress, seconds: number): string {
    const { stage, step, totalSteps, mayEndEarly, replicas, loss, metrics } = progress;
    const parts = [`${stage} ${step}/${totalSteps} (${Math.floor((100 * step) / totalSteps)} %)`];
    // Nothing is known about the rate before a second step.
    if (step > this.firstStep && seconds > 0) {
      const rate = (step - this.firstStep) / seconds;
      const seeds = replicas === 1 ? '' : ` x ${replicas} seeds`;
      parts.push(
        `${rate >= 10 ? rate.toFixed(0) : rate.toFixed(1)} steps/s${seeds}`,
        `${mayEndEarly ? 'at most ' : ''}${formatDuration((totalSteps - step) / rate)} left`,
      );
    }
    parts.push(`loss ${loss.toFixed(3)}`);
    const accuracies = lastAccuracies(metrics);
    if (accuracies !== '') parts.push(accuracies);
    return parts.join('  ');
  }
}

/** `acc qd1consis .76 qd2incons .65`: the subsets that are asked, averaged over replicas. */
function lastAccuracies(metrics: readonly Metrics[]): string {
  const [first] = metrics;
  if (first === undefined) return '';
  const names = Array.from(first).flatMap(([name, own]) =>
    name.startsWith('train_') || name.startsWith('ent_assoc_') || own.accuracy === undefined ? [] : [name],
  );
  const shown = names.map((name) => {
    const values = metrics.map((own) => own.get(name)!.accuracy?.value ?? NaN);
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
    return `${name} ${mean.toFixed(2).replace(/^0/, '')}`;
  });
  return `acc ${shown.join(' ')}`;
}

/** `45 s`, `3 min 20 s`, `2 h 5 min`. */
export function formatDuration(seconds: number): string {
  if (!Number.isFinite(seconds)) return '?';
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`;
}

/** Standard error as a target. */
export function standardError(): ProgressTarget {
  return {
    isTerminal: isTerminal(process.stderr),
    get columns() {
      return columnsOf(process.stderr, 80);
    },
    write: writeStatus,
    // Rates and times left are of durations: a clock that is set must not change them.
    now: () => performance.now(),
  };
}
