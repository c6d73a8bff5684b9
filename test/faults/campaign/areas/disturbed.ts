import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { command, problemsOfWords, type Fault } from '../command.js';
import { applies, isKill, type FaultKind } from '../fault-kinds.mjs';
import { differences, problemsMidway } from '../run-content.js';
import {
  finalisation,
  keepsEarlier,
  referenceOf,
  scenarios,
  startingState,
  type Reference,
  type Scenario,
} from '../scenarios.js';
import type { Area, CaseContext, CaseResult } from '../area.js';

/** Seconds that a disturbed command may take beyond what it takes undisturbed, on a machine that does other work too. */
const grace = 5;
/** Times the undisturbed time, for every process that waits for a processor. */
const slowdown = 4;

const killKinds: readonly FaultKind[] = ['before', 'after', 'torn'];
const errorKinds: readonly FaultKind[] = ['ENOSPC', 'EIO', 'EROFS', 'EDQUOT', 'EINTR', 'short'];

/** The fault at a random call of those that `wanted` takes and the kind can happen to. */
function chooseFault(
  { random }: CaseContext,
  { calls }: Reference,
  kind: FaultKind,
  persistent: boolean,
  wanted: (call: number) => boolean = () => true,
): Fault {
  const numbers: number[] = [];
  let count = 0;
  calls.forEach(({ operation }, i) => {
    if (!applies(kind, operation)) return;
    count++;
    if (wanted(i)) numbers.push(count);
  });
  return { kind, at: numbers[random.integer(numbers.length)] ?? 1, persistent };
}

/** Disturbs a command once, then gives the same command again, undisturbed. */
async function disturb(context: CaseContext, scenario: Scenario, fault: Fault): Promise<CaseResult> {
  const { work, folder, random } = context;
  const reference = referenceOf(work, scenario);
  const busy = Math.max(1, os.loadavg()[0]! / os.availableParallelism());
  const limit = grace + slowdown * busy * reference.seconds;
  const [runs, expected] = [folder, reference.folder].map((place) => path.join(place, 'runs'));
  startingState(work, scenario, folder);
  const outside = filesOutside(folder);
  const problems: string[] = [];
  const ended = await command(scenario.args, { cwd: folder, fault, limit });
  const what = `${scenario.name}: ${fault.kind}${fault.persistent ? ' from then on' : ''} at call ${fault.at} (${ended.fired ?? 'not reached'})`;
  const note = (moment: string, found: readonly string[]): void => {
    problems.push(
      ...found
        .filter((problem) => !isLeftByFault(problem, fault, ended.fired, moment))
        .map((problem) => `${moment}: ${problem}`),
    );
  };
  if (ended.fired === null) note('harness', ['the call was not reached']);
  const killed = isKill(fault.kind);
  // A call that fails in one replica ends that one; the others go on without it.
  const replicas = killed ? 'kept' : 'changed';
  note('then', problemsOfWords(ended));
  if (killed && ended.code !== null) note('then', [`exit code ${ended.code} though it was killed`]);
  if (ended.code === 0) note('said it had done', differences(runs!, expected!, replicas));
  // What one table that cannot be read leaves out of an analysis is said, and the rest is written.
  const isPartial = ended.code === 1 && /left out/.test(ended.stderr);
  note(
    'midway',
    problemsMidway(runs!, expected!, replicas).filter(
      (problem) => !(isPartial && /^[\w-]+\/analysis\//.test(problem)),
    ),
  );
  if (keepsEarlier(scenario)) note('midway', earlierLost(runs!, expected!));

  // Every fourth kill is followed by another one.
  if (killed && random.uniform() < 0.25) {
    const second = chooseFault(context, reference, killKinds[random.integer(3)]!, false);
    const again = await command(scenario.args, { cwd: folder, fault: second, limit });
    note('killed again', problemsOfWords(again));
    if (again.code !== null && again.code !== 0) note('killed again', [refusal(again.stderr)]);
    note('killed again', problemsMidway(runs!, expected!, replicas));
  }
  const last = await command(scenario.args, { cwd: folder, limit });
  note('the same command', problemsOfWords(last));
  if (last.code !== 0 && !last.timedOut) note('the same command', [refusal(last.stderr)]);
  if (last.code === 0) note('in the end', differences(runs!, expected!, replicas));
  fs.rmSync(path.join(folder, 'fault-happened'), { force: true });
  note(
    'outside',
    filesOutside(folder).filter((name) => !outside.includes(name)),
  );
  return { what, problems };
}

/**
 * A temporary file stays where the fault is that it cannot be removed; nobody reads it. A lock stays where the fault is
 * that it cannot be looked at, or while nothing can be removed; it is taken over like that of a killed process.
 */
function isLeftByFault(
  problem: string,
  { kind, persistent }: Fault,
  fired: string | null,
  moment: string,
): boolean {
  const [, file] = /^left over: (.+)$/.exec(problem) ?? [];
  if (file === undefined || isKill(kind)) return false;
  if (path.basename(file) === 'lock') {
    const cannotRemove = persistent && applies(kind, 'unlink') && moment === 'said it had done';
    return cannotRemove || fired?.endsWith(file) === true;
  }
  const name = /[^/]+\.tmp-[\w-]+$/.exec(file)?.[0];
  if (name === undefined) return false;
  return persistent ? applies(kind, 'unlink') : fired?.startsWith('unlink ') === true && fired.endsWith(name);
}

function refusal(stderr: string): string {
  return `refused: ${stderr.trimEnd().split('\n').at(-1)}`;
}

function filesOutside(folder: string): string[] {
  return fs.readdirSync(folder).filter((name) => name !== 'runs');
}

function earlierLost(runs: string, expected: string): string[] {
  const names = (folder: string): string[] =>
    fs
      .readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .filter((name) => /\.(?:arrow|json)$/.test(name));
  const own = new Set(names(runs));
  return names(expected)
    .filter((name) => !own.has(name))
    .map((name) => `${name} of the earlier call is gone`);
}

const [train] = scenarios;

/** Kills at every call of the end of a run. */
export const finalisationArea: Area = {
  name: 'finalisation',
  title: 'kill -9 at a call in the finalisation of a run',
  count: 60,
  limit: 200,
  needs: ['train'],
  run(context) {
    const kind = killKinds[context.index % 3]!;
    const reference = referenceOf(context.work, train!);
    const calls = new Set(finalisation(reference));
    const fault = chooseFault(context, reference, kind, false, (call) => calls.has(call));
    return disturb(context, train!, fault);
  },
};

/** Kills at random calls of every command that writes. */
export const killsArea: Area = {
  name: 'kills',
  title: 'kill -9 at a random call of run, probe, analyze, sweep',
  count: 200,
  limit: 300,
  needs: scenarios.map(({ name }) => name),
  run(context) {
    const scenario = scenarioOf(context.index);
    const kind = killKinds[context.random.integer(3)]!;
    return disturb(context, scenario, chooseFault(context, referenceOf(context.work, scenario), kind, false));
  },
};

/** Calls that fail. */
export const failuresArea: Area = {
  name: 'failures',
  title: 'ENOSPC, EIO, EROFS, EDQUOT, EINTR, short writes at a random call',
  count: 200,
  limit: 300,
  needs: scenarios.map(({ name }) => name),
  run(context) {
    const scenario = scenarioOf(context.index);
    const kind = errorKinds[context.random.integer(errorKinds.length)]!;
    const persistent = context.random.uniform() < 0.5 && kind !== 'short' && kind !== 'EINTR';
    return disturb(
      context,
      scenario,
      chooseFault(context, referenceOf(context.work, scenario), kind, persistent),
    );
  },
};

/** Training gets every other case; it writes most. */
function scenarioOf(index: number): Scenario {
  return index % 2 === 0 ? train! : scenarios[1 + (((index - 1) / 2) % (scenarios.length - 1))]!;
}
