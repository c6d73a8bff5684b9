import { UserError } from '../../../data/errors.js';
import { isPrintable } from '../../../data/printable.js';
import { shellCommand } from '../../../data/shell-word.js';
import type { QueuedJob } from '../../store/task-record.js';
import { commandIn, jobWords, type JobCall } from './job-command.js';

/** What jobs ask of Slurm. */
export interface SlurmResources {
  readonly partition?: string | undefined;
  readonly account?: string | undefined;
  readonly time?: string | undefined;
  readonly cpus?: number | undefined;
  readonly mem?: string | undefined;
  readonly gpus?: number | undefined;
  /** Further options of sbatch, one or several in a text. */
  readonly others: readonly string[];
}

/** A job of a sweep, or a part of an array of them. */
export interface SlurmJob {
  readonly does: QueuedJob['does'];
  /** Name in Slurm's lists. */
  readonly name: string;
  /** Folder of the logs, absolute. */
  readonly logs: string;
  /** Tasks of the array; null for a job that is none. */
  readonly tasks: ArrayPart | null;
}

/** Tasks of an array: elements 0 to `count` - 1 of it are the tasks from `first` on, of `all`. */
export interface ArrayPart {
  readonly first: number;
  readonly count: number;
  readonly all: number;
  /** Elements that run at once; null for no limit. */
  readonly limit: number | null;
}

/** Seconds before a time limit at which a task is told, so that it writes a checkpoint and is queued again. */
const noticeSeconds = 120;

/**
 * Array parts that hold all tasks, each of at most `largest` elements (Slurm's `MaxArraySize`, whose largest index is one
 * less). A limit on the elements that run at once is divided among them.
 */
export function arrayParts(all: number, largest: number, limit: number | null): ArrayPart[] {
  const parts = Math.max(1, Math.ceil(all / largest));
  return Array.from({ length: parts }, (_, i) => {
    const first = Math.floor((i * all) / parts);
    const count = Math.floor(((i + 1) * all) / parts) - first;
    return { first, count, all, limit: limit === null ? null : Math.max(1, Math.floor(limit / parts)) };
  });
}

/** Where Slurm writes the log of a job, with its own signs for the ids. */
export function logPattern({ logs, does, tasks }: SlurmJob): string {
  return `${logs.replaceAll('%', '%%')}/${does}-${tasks === null ? '%j' : '%A_%a'}.log`;
}

/**
 * The batch script of a job. Node takes the place of the shell, so that a signal to the batch process reaches it; a task
 * asks itself to be queued again when its time is up.
 */
export function sbatchScript(job: SlurmJob, call: JobCall, resources: SlurmResources): string {
  const { name, tasks, does } = job;
  const { partition, account, time, cpus, mem, gpus, others } = resources;
  const options = [
    option('job-name', name),
    ...(tasks === null
      ? []
      : [option('array', `0-${tasks.count - 1}${tasks.limit === null ? '' : `%${tasks.limit}`}`)]),
    option('output', logPattern(job)),
    '--open-mode=append',
    // After a node was lost.
    '--requeue',
    ...(tasks === null ? [] : [`--signal=B:USR1@${noticeSeconds}`]),
    ...(partition === undefined ? [] : [option('partition', partition)]),
    ...(account === undefined ? [] : [option('account', account)]),
    ...(time === undefined ? [] : [option('time', time)]),
    ...(cpus === undefined ? [] : [option('cpus-per-task', String(cpus))]),
    ...(mem === undefined ? [] : [option('mem', mem)]),
    // Tables and figures are made without one.
    ...(gpus === undefined || tasks === null ? [] : [option('gpus', String(gpus))]),
    ...others.map(oneLine),
  ];
  const words = shellCommand(jobWords(call, does));
  const command = tasks === null ? words : `${words} --task "${taskOf(tasks)}" --requeue`;
  return ['#!/bin/bash', ...options.map((own) => `#SBATCH ${own}`), commandIn(call, command), ''].join('\n');
}

/** The task of an array element, for the shell. */
function taskOf({ first, all }: ArrayPart): string {
  const index = first === 0 ? '$SLURM_ARRAY_TASK_ID' : `$((SLURM_ARRAY_TASK_ID + ${first}))`;
  return `${index}/${all}`;
}

/** An option as sbatch reads it from a script: quotes hold blanks together, a backslash escapes. */
function option(name: string, value: string): string {
  const text = /^[\w./:,=@%+-]+$/.test(value) ? value : `"${value.replaceAll(/["\\]/g, String.raw`\$&`)}"`;
  return `--${name}=${oneLine(text)}`;
}

function oneLine(text: string): string {
  if (isPrintable(text)) return text;
  throw new UserError(`an option of sbatch has control characters: ${JSON.stringify(text)}`);
}
