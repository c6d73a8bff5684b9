import fs from 'node:fs';
import path from 'node:path';
import { command, problemsOfWords, type CommandOptions, type Ended } from '../command.js';
import { referenceFolder } from '../scenarios.js';

/** A single fault that was seen once, and what must become of it. */
export interface FaultCase {
  readonly name: string;
  /** Gives what is not as it should be. */
  readonly run: (place: CasePlace) => Promise<readonly string[]>;
}

/** Where a case works. */
export interface CasePlace {
  /** Folder of the campaign, with the references. */
  readonly work: string;
  /** The case's own folder; runs lie in `runs` below it. */
  readonly folder: string;
  /** Runs the command line in the folder. */
  readonly gradscope: (args: readonly string[], options?: Partial<CommandOptions>) => Promise<Ended>;
}

export const experiment = 'runs/set-inclusion';
export const seed0 = `${experiment}/tiny-seed0`;
export const seed1 = `${experiment}/tiny-seed1`;

/** A case's place in a folder. */
export function placeIn(work: string, folder: string): CasePlace {
  return {
    work,
    folder,
    gradscope: (args, options = {}) => command(args, { cwd: folder, limit: 90, ...options }),
  };
}

/** Puts complete runs there, as a scenario left them. */
export function completeRuns(
  { work, folder }: CasePlace,
  after: 'train' | 'probe' | 'analyze' = 'train',
): void {
  fs.cpSync(path.join(referenceFolder(work, after), 'runs'), path.join(folder, 'runs'), { recursive: true });
}

/** Puts two runs there that were killed when their last step was done. */
export function crashedRuns({ work, folder }: CasePlace): void {
  fs.cpSync(path.join(work, 'references/crashed/runs'), path.join(folder, 'runs'), { recursive: true });
}

/** Problems of a command that must end well. */
export function mustEnd(ended: Ended): string[] {
  const problems = problemsOfWords(ended);
  if (problems.length === 0 && ended.code !== 0)
    return [`exit code ${ended.code}: ${ended.stderr.trimEnd().split('\n').at(-1)}`];
  return problems;
}

/** Problems of a command that must be refused, in one line that matches. */
export function mustRefuse(ended: Ended, reason = /./): string[] {
  const problems = problemsOfWords(ended);
  if (problems.length > 0) return problems;
  if (ended.code === 0) return ['was not refused'];
  const line = ended.stderr.trimEnd().split('\n').at(-1) ?? '';
  return reason.test(ended.stderr) ? [] : [`the message says nothing of ${reason.source}: ${line}`];
}

/** Content of a run's `run.json`. */
export function infoOf(place: CasePlace, run: string): Record<string, unknown> {
  return JSON.parse(fs.readFileSync(path.join(place.folder, run, 'run.json'), 'utf8'));
}

/** Problems of a run that must be complete and hold no lock. */
export function mustBeComplete(place: CasePlace, run: string): string[] {
  const { status } = infoOf(place, run);
  const problems = status === 'complete' ? [] : [`${run} is ${String(status)}`];
  if (fs.existsSync(path.join(place.folder, run, 'lock'))) problems.push(`${run} has a lock`);
  return problems;
}

/** Changes a text file. */
export function edit(file: string, change: (text: string) => string): void {
  fs.writeFileSync(file, change(fs.readFileSync(file, 'utf8')));
}

/** Path of a run's last checkpoint. */
export function lastCheckpoint(run: string): string {
  const folder = path.join(run, 'checkpoints');
  return path.join(folder, fs.readdirSync(folder).sort().at(-1)!);
}
