import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { withTagControl } from '../../../../src/analysis/tag-control.js';
import { analyseArm } from '../../../../src/analysis/analyse-arm.js';
import { findRuns } from '../../../../src/analysis/find-runs.js';
import { groupIntoArms } from '../../../../src/analysis/run-data.js';
import { loadConfig } from '../../../../src/config/load.js';
import { armReport } from '../../../../src/report/text/arm-report.js';
import { readCheckpoint } from '../../../../src/run/checkpoint.js';
import { runSchema } from '../../../../src/run/config.js';
import { resumeRuns } from '../../../../src/run/run.js';
import { nodeEnvironment, type Environment } from '../../../../src/store/environment.js';
import { acquireLock } from '../../../../src/store/lock.js';
import { recoverRun } from '../../../../src/store/recover.js';
import { configPath } from '../../../../src/store/run-folder.js';
import { loadEngine } from '../../../../src/train/engine/load.js';
import { show } from '../../../../tui/show.js';
import { plainStyle } from '../../../tui/support/plain-style.js';
import { views } from '../../../../tui/views/registry.js';
import type { Area, CaseContext } from '../area.js';
import {
  hostileText,
  mutateBytes,
  mutateJson,
  mutateNumbers,
  mutateText,
  oneOf,
  type Mutation,
} from '../mutations.js';
import { attempt, holdsControls, problemsOf, type Outcome } from '../outcome.js';
import { crashedRun, referenceFolder, wholeRun } from '../scenarios.js';

/** Damaged checkpoints. */
export const checkpointsArea: Area = {
  name: 'checkpoints',
  title: 'damaged checkpoints: the same tensors, or a refusal',
  count: 500,
  limit: 15,
  needs: ['train'],
  async run({ random, work, folder }) {
    const run = wholeRun(work, 0);
    const names = fs
      .readdirSync(path.join(run, 'checkpoints'))
      .filter((name) => name.endsWith('.safetensors'));
    const name = oneOf(random, names);
    const step = Number(/\d+/.exec(name)?.[0]);
    const bytes = fs.readFileSync(path.join(run, 'checkpoints', name));
    const headerEnd = 8 + Number(bytes.readBigUInt64LE(0));
    const roll = random.uniform();
    let mutation: Mutation<Uint8Array>;
    if (roll < 0.35) mutation = mutateBytes(random, bytes);
    else if (roll < 0.45) mutation = mutateNumbers(random, bytes, bytes.length);
    else {
      const changed =
        roll < 0.8
          ? mutateHeader(random, bytes.subarray(8, headerEnd))
          : mutateBytes(random, bytes.subarray(8, headerEnd));
      const length = Buffer.alloc(8);
      length.writeBigUInt64LE(BigInt(changed.value.length));
      const value = Buffer.concat([length, changed.value, bytes.subarray(headerEnd)]);
      mutation = { what: `header: ${changed.what}`, value };
    }
    fs.mkdirSync(path.join(folder, 'checkpoints'));
    fs.writeFileSync(path.join(folder, 'checkpoints', name), mutation.value);
    const wanted = readCheckpoint(run, step);
    const outcome = await attempt(() => readCheckpoint(folder, step));
    const problems = problemsOf(outcome);
    if (outcome.kind === 'done' && !isDeepStrictEqual(outcome.value, wanted))
      problems.push('other content without a word');
    return { what: `${name}: ${mutation.what}`, problems };
  },
};

function mutateHeader(random: CaseContext['random'], header: Uint8Array): Mutation<Uint8Array> {
  const { what, value } = mutateJson(random, Buffer.from(header).toString());
  const text = JSON.stringify(JSON.parse(value));
  return { what, value: Buffer.from(text.padEnd(8 * Math.ceil(Buffer.byteLength(text) / 8))) };
}

/** Damaged `run.json`. */
export const runJsonArea: Area = {
  name: 'run-json',
  title: 'damaged run.json: analysis, report and views',
  count: 500,
  limit: 20,
  needs: ['probe'],
  async run({ random, work, folder }) {
    const run = copyOf(wholeRun(work, 0), folder);
    const file = path.join(run, 'run.json');
    const text = fs.readFileSync(file, 'utf8');
    const { what, value } = random.uniform() < 0.7 ? mutateJson(random, text) : mutateText(random, text);
    fs.writeFileSync(file, value);
    return { what, problems: [...(await analysisProblems(folder)), ...(await viewProblems(folder, random))] };
  },
};

/** Damaged `analysis.json`. */
export const analysisJsonArea: Area = {
  name: 'analysis-json',
  title: 'damaged analysis.json: the views that show it',
  count: 500,
  limit: 20,
  needs: ['analyze'],
  async run({ random, work, folder }) {
    fs.cpSync(path.join(referenceFolder(work, 'analyze'), 'runs'), path.join(folder, 'runs'), {
      recursive: true,
    });
    const file = filesNamed(folder, 'analysis.json')[0]!;
    const text = fs.readFileSync(file, 'utf8');
    const { what, value } = random.uniform() < 0.7 ? mutateJson(random, text) : mutateText(random, text);
    fs.writeFileSync(file, value);
    return { what, problems: await viewProblems(path.join(folder, 'runs'), random, ['findings', 'runs']) };
  },
};

/** Damaged `config.yaml` of a run. */
export const runConfigArea: Area = {
  name: 'run-config',
  title: 'damaged config.yaml of a run: views, analysis, resume',
  count: 500,
  limit: 30,
  needs: ['crashed', 'probe'],
  async run({ random, work, folder }) {
    const run = copyOf(wholeRun(work, 0), path.join(folder, 'whole'));
    const crashed = [0, 1].map((seed) => copyOf(crashedRun(work, seed), path.join(folder, 'crashed')));
    const text = fs.readFileSync(configPath(run), 'utf8');
    const { what, value } = mutateYaml(random, text);
    fs.writeFileSync(configPath(run), value);
    for (const own of random.uniform() < 0.5 ? crashed : crashed.slice(0, 1))
      fs.writeFileSync(configPath(own), value);
    const problems = [
      ...(await analysisProblems(path.join(folder, 'whole'))),
      ...(await viewProblems(path.join(folder, 'whole'), random, ['config'])),
    ];
    const loaded = await attempt(() => loadConfig(configPath(run), runSchema), 1000);
    problems.push(...problemsOf(loaded));
    const original = loadConfig(configPath(wholeRun(work, 0)), runSchema).config;
    const engine = await loadEngine({ engine: 'wasm' });
    const resumed = await attempt(
      () =>
        resumeRuns(crashed[0]!, {
          root: folder,
          engine,
          command: ['test'],
          signal: new AbortController().signal,
          onProgress: () => {},
          onMessage: () => {},
          existing: 'resume',
          versions: {},
        }),
      1000,
    );
    problems.push(...problemsOf(resumed));
    if (
      resumed.kind === 'done' &&
      !(loaded.kind === 'done' && isDeepStrictEqual(loaded.value.config, original))
    )
      problems.push('the run went on with another config');
    return { what, problems };
  },
};

function mutateYaml(random: CaseContext['random'], text: string): Mutation<string | Uint8Array> {
  const lines = text.split('\n');
  const i = random.integer(lines.length);
  switch (random.integer(6)) {
    case 0: {
      const value = oneOf(random, [
        'null',
        '-1',
        '.inf',
        '.nan',
        '1e300',
        '[]',
        '{}',
        '*nothing',
        '"\u001B[31m"',
        'x',
        "''",
      ]);
      const changed = (lines[i] ?? '').replace(/:\s.*$/, `: ${value}`);
      return { what: `line ${i + 1}: ${changed}`, value: lines.with(i, changed).join('\n') };
    }
    case 1: {
      const changed = (lines[i] ?? '').replace(/\d+/, (digits) => String(Number(digits) + 1));
      return { what: `line ${i + 1}: ${changed}`, value: lines.with(i, changed).join('\n') };
    }
    case 2:
      return { what: `line ${i + 1} left out`, value: lines.toSpliced(i, 1).join('\n') };
    case 3:
      return { what: 'a comment', value: `# a comment\n${text}` };
    default:
      return mutateText(random, text);
  }
}

/** Lock files of every kind. */
export const locksArea: Area = {
  name: 'locks',
  title: 'lock files of every kind: recover and resume',
  count: 500,
  limit: 20,
  needs: ['crashed'],
  async run({ random, work, folder }) {
    const run = copyOf(crashedRun(work, 0), folder);
    const lock = path.join(run, 'lock');
    const { what, alive } = placeLock(random, lock);
    const taken = await attempt(() => acquireLock(run, nodeEnvironment).release());
    const problems = problemsOf(taken);
    if (alive && taken.kind === 'done') problems.push('the lock of a living process was taken');
    const recovered: Outcome<unknown> = await attempt(() => recoverRun(run, withoutWaiting()));
    problems.push(...problemsOf(recovered));
    if (alive && recovered.kind === 'done') problems.push('a run of a living process was recovered');
    return { what, problems };
  },
};

/** This machine, where time passes at once for who waits: a lock that says nothing is watched for a minute. */
function withoutWaiting(): Environment {
  let waited = 0;
  return {
    ...nodeEnvironment,
    elapsed: () => nodeEnvironment.elapsed() + waited,
    sleep: async (ms) => void (waited += ms),
  };
}

/** Makes a lock; tells whether a living process has it. */
function placeLock(
  random: CaseContext['random'],
  lock: string,
): { readonly what: string; readonly alive: boolean } {
  fs.rmSync(lock, { force: true });
  const probe = path.join(path.dirname(lock), 'probe');
  fs.mkdirSync(probe);
  acquireLock(probe, nodeEnvironment);
  const own = fs.readFileSync(path.join(probe, 'lock'), 'utf8');
  fs.rmSync(probe, { recursive: true });
  const roll = random.integer(10);
  switch (roll) {
    case 0:
      fs.writeFileSync(lock, own);
      return { what: 'of a living process', alive: true };
    case 1:
      fs.mkdirSync(lock);
      return { what: 'a folder', alive: false };
    case 2:
      fs.symlinkSync(oneOf(random, ['nowhere', 'lock', '/dev/zero', '/dev/null', '/etc/hostname']), lock);
      return { what: `a link to ${fs.readlinkSync(lock)}`, alive: false };
    case 3:
      spawnSync('mkfifo', [lock]);
      return { what: 'a pipe', alive: false };
    case 4: {
      const content = oneOf(random, [
        '',
        '{',
        'null',
        '[]',
        '7',
        '\u0000'.repeat(100),
        hostileText,
        'x'.repeat(1e6),
      ]);
      fs.writeFileSync(lock, content);
      return { what: JSON.stringify(content.slice(0, 20)), alive: false };
    }
    case 5: {
      fs.writeFileSync(lock, own);
      fs.writeFileSync(`${lock}.takeover`, oneOf(random, ['', own, 'x']));
      return { what: 'of a living process, with a takeover', alive: true };
    }
    default: {
      const [holder = '', ...beats] = own.split('\n');
      const { what, value } = roll < 8 ? mutateJson(random, holder) : mutateText(random, holder);
      fs.writeFileSync(lock, [value, ...beats].join('\n'));
      return { what, alive: false };
    }
  }
}

/** A copy of a run folder, under its own name. */
function copyOf(run: string, into: string): string {
  const target = path.join(into, path.basename(run));
  fs.cpSync(run, target, { recursive: true });
  return target;
}

function filesNamed(folder: string, name: string): string[] {
  return fs
    .readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((file) => path.basename(file) === name)
    .map((file) => path.join(folder, file));
}

/** Analysis and report of a folder; what is printed holds nothing that a terminal obeys. */
async function analysisProblems(folder: string): Promise<string[]> {
  const outcome = await attempt(async () => {
    const { runs } = await findRuns([folder]);
    const analysed = [];
    for (const arm of groupIntoArms(runs)) analysed.push({ arm, analysis: await analyseArm(arm) });
    return withTagControl(analysed).flatMap((analysis) => armReport(analysis, { width: 100, colour: false }));
  });
  if (outcome.kind !== 'done') return problemsOf(outcome).map((problem) => `analyze: ${problem}`);
  const line = outcome.value.find(holdsControls);
  return line === undefined ? [] : [`analyze: control characters: ${JSON.stringify(line.slice(0, 150))}`];
}

/** Views of a folder as text. */
async function viewProblems(
  folder: string,
  random: CaseContext['random'],
  ids: readonly string[] = [oneOf(random, views).id, oneOf(random, views).id],
): Promise<string[]> {
  const problems: string[] = [];
  for (const view of ids) {
    const outcome = await attempt(() =>
      show({ folders: [folder], view, width: 100, height: 30, style: plainStyle }),
    );
    if (outcome.kind !== 'done') {
      problems.push(...problemsOf(outcome).map((problem) => `${view}: ${problem}`));
      continue;
    }
    const line = outcome.value.find(holdsControls);
    if (line !== undefined)
      problems.push(`${view}: control characters: ${JSON.stringify(line.slice(0, 150))}`);
  }
  return problems;
}
