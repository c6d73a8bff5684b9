import { spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { polars } from '../../../store/polars.js';
import { mainFile, problemsOfWords } from '../command.js';
import { changes, differences, snapshot } from '../run-content.js';
import { referenceFolder, trainTiny } from '../scenarios.js';
import {
  completeRuns,
  crashedRuns,
  edit,
  infoOf,
  lastCheckpoint,
  mustBeComplete,
  mustEnd,
  mustRefuse,
  seed0,
  seed1,
  type CasePlace,
  type FaultCase,
} from './case.js';

const resumeAll = trainTiny('0..1', ['--existing', 'resume']);
const resume = (run: string): string[] => ['run', '--resume', run];
const probe = [
  'probe',
  seed0,
  '--only',
  'panel,transfer-path',
  '--variables',
  '2',
  '--questions',
  '2',
  '--draws',
  '2',
];
const set = (setting: string): string[] => ['--set', setting];

/** Kills a command before a call on a path that matches. */
async function killedBefore(place: CasePlace, args: readonly string[], pattern: RegExp): Promise<string[]> {
  const log = path.join(place.folder, 'calls');
  const copy = `${place.folder}-counted`;
  fs.cpSync(place.folder, copy, { recursive: true });
  await place.gradscope(args, { log, cwd: copy });
  const calls = fs.readFileSync(log, 'utf8').split('\n');
  fs.rmSync(log);
  fs.rmSync(copy, { recursive: true });
  const before = calls.slice(
    0,
    calls.findIndex((line) => pattern.test(line)),
  );
  const at = 1 + before.filter((line) => !/^(?:open|read|list|stat)\t/.test(line)).length;
  const ended = await place.gradscope(args, { fault: { kind: 'before', at, persistent: false } });
  return ended.fired === null ? [`harness: no call ${pattern.source}`] : [];
}

/** Problems of runs that must be as if nothing had happened. */
function mustBeUndisturbed({ work, folder }: CasePlace, scenario: 'train' | 'sweep'): string[] {
  return differences(path.join(folder, 'runs'), path.join(referenceFolder(work, scenario), 'runs'));
}

export const goingOn: readonly FaultCase[] = [
  {
    name: 'D01 odd batch size with an even last minibatch',
    async run({ gradscope }) {
      const problems = [];
      for (const size of [63, 65, 31, 64]) {
        const args = [...trainTiny('0'), ...set(`stages.0.batchSize=${size}`), ...set(`name=tiny${size}`)];
        problems.push(...mustEnd(await gradscope(args)));
      }
      return problems;
    },
  },
  {
    name: 'D02 batch larger than the training set: analyze and views',
    async run({ gradscope }) {
      const args = [...trainTiny('0'), ...set('stages.0.batchSize=100000'), ...set('stages.0.epochs=10')];
      const problems = mustEnd(await gradscope(args));
      problems.push(...mustEnd(await gradscope(['analyze', 'runs'])));
      for (const view of ['variance', 'findings'])
        problems.push(...mustEnd(await gradscope(['show', 'runs', '--view', view])));
      return problems;
    },
  },
  {
    name: 'D03 --resume of a copied folder goes on there, or says why not',
    async run(place) {
      crashedRuns(place);
      const at = (run: string): string => path.join(place.folder, run);
      fs.cpSync(at(seed0), at(`${seed0}-copy`), { recursive: true });
      const before = snapshot(at(seed0));
      const ended = await place.gradscope(resume(`${seed0}-copy`));
      if (ended.code !== 0) return mustRefuse(ended, /^(?!.*null)/);
      const moved = changes(before, snapshot(at(seed0)));
      return [
        ...mustBeComplete(place, `${seed0}-copy`),
        ...(moved.length > 0 ? ['the original went on'] : []),
      ];
    },
  },
  {
    name: 'D03 --resume of a renamed folder, and through a link',
    async run(place) {
      crashedRuns(place);
      fs.renameSync(path.join(place.folder, seed0), path.join(place.folder, 'runs/renamed'));
      fs.symlinkSync(path.join(place.folder, seed1), path.join(place.folder, 'link'));
      const problems = [];
      for (const run of ['runs/renamed', 'link']) {
        const ended = await place.gradscope(resume(run));
        problems.push(...(ended.code === 0 ? mustBeComplete(place, run) : mustRefuse(ended, /^(?!.*null)/)));
      }
      return problems;
    },
  },
  {
    name: 'D04 --resume after config.yaml was edited',
    async run(place) {
      crashedRuns(place);
      for (const run of [seed0, seed1])
        edit(path.join(place.folder, run, 'config.yaml'), (text) => text.replace('epochs: 2', 'epochs: 3'));
      return mustRefuse(await place.gradscope(resume(seed0)), /config\.yaml/);
    },
  },
  {
    name: 'D05 a killed run beside complete ones: they are probed',
    async run(place) {
      crashedRuns(place);
      const complete = path.join(referenceFolder(place.work, 'train'), seed1);
      fs.rmSync(path.join(place.folder, seed1), { recursive: true });
      fs.cpSync(complete, path.join(place.folder, seed1), { recursive: true });
      const args = [
        'probe',
        'runs',
        '--only',
        'alignment',
        '--variables',
        '2',
        '--questions',
        '2',
        '--draws',
        '2',
      ];
      const ended = await place.gradscope(args);
      const problems = problemsOfWords(ended);
      if (!fs.existsSync(path.join(place.folder, seed1, 'alignment.arrow')))
        problems.push('the complete run was not probed');
      if (!ended.stderr.includes('tiny-seed0')) problems.push('no word about the killed run');
      return problems;
    },
  },
  {
    name: 'D05 a killed run of another host goes on once its lock is removed',
    async run(place) {
      crashedRuns(place);
      for (const run of [seed0, seed1]) {
        edit(path.join(place.folder, run, 'run.json'), (text) =>
          text.replace(/"host": "[^"]*"/, '"host": "pod-old"'),
        );
        fs.rmSync(path.join(place.folder, run, 'lock'), { force: true });
      }
      return [...mustEnd(await place.gradscope(resumeAll)), ...mustBeUndisturbed(place, 'train')];
    },
  },
  {
    name: 'D06 the last checkpoint of one seed is cut',
    async run(place) {
      crashedRuns(place);
      fs.truncateSync(lastCheckpoint(path.join(place.folder, seed1)), 1000);
      const ended = await place.gradscope(resume(seed0));
      if (ended.code === 0) return mustBeUndisturbed(place, 'train');
      const locked = [seed0, seed1].filter((run) => fs.existsSync(path.join(place.folder, run, 'lock')));
      return [...mustRefuse(ended, /step-\d+/), ...locked.map((run) => `${run} has a lock`)];
    },
  },
  {
    name: 'D07 nobody reads the output: the run goes on',
    async run(place) {
      const line = [mainFile, ...trainTiny('0')].map((word) => `'${word}'`).join(' ');
      await shell(place, `'${process.execPath}' ${line} 2>&1 | head -n 1`);
      // The pipe ends before the run does.
      await until(() => fs.existsSync(path.join(place.folder, seed0, 'run.json')), 20);
      await until(() => infoOf(place, seed0)['status'] !== 'running', 30);
      return mustBeComplete(place, seed0);
    },
  },
  {
    name: 'D12 the file system has no fsync of folders (EINVAL)',
    async run(place) {
      const fault = { kind: 'EINVAL', at: 1, persistent: true } as const;
      return [...mustEnd(await place.gradscope(resumeAll, { fault })), ...mustBeUndisturbed(place, 'train')];
    },
  },
  {
    name: 'D16, D17 Ctrl-C; the printed command goes on, in a folder with a blank; events of both are kept',
    async run(place) {
      const args = [...trainTiny('0'), ...set('stages.0.epochs=1500'), ...set('log.tier=off')].map((word) =>
        word === 'runs' ? 'my runs' : word,
      );
      const run = path.join(place.folder, 'my runs/set-inclusion/tiny-seed0');
      const child = spawn(process.execPath, [mainFile, ...args], {
        cwd: place.folder,
        env: { ...process.env, GRADSCOPE_ENGINE: 'wasm', NO_COLOR: '1' },
        stdio: ['ignore', 'ignore', 'pipe'],
      });
      let stderr = '';
      child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
      const closed = new Promise((resolve) => child.once('close', resolve));
      await until(() => fs.existsSync(path.join(run, 'checkpoints')), 30);
      child.kill('SIGINT');
      await closed;
      const [, words] = /npx gradscope (run .*--resume .*)$/m.exec(stderr) ?? [];
      if (words === undefined) return [`no command to go on with: ${stderr.trim().split('\n').at(-1)}`];
      // Interrupted again: a whole run of this length takes a minute.
      const again = shell(place, `timeout -s INT 6 '${process.execPath}' '${mainFile}' ${words}`);
      await again;
      const stream = path.join(run, 'events.arrows');
      const kinds = polars
        .readIPCStream(fs.readFileSync(fs.existsSync(stream) ? stream : path.join(run, 'events.arrow')))
        .toRecords()
        .map((row) => String(row['kind']));
      const missing = ['start', 'interrupt', 'resume'].filter((kind) => !kinds.includes(kind));
      return missing.map((kind) => `no event ${kind} among ${kinds.join(', ')}`);
    },
  },
  {
    name: 'D22 recover of a folder of runs',
    async run(place) {
      crashedRuns(place);
      const ended = await place.gradscope(['recover', 'runs']);
      const file = path.join(place.folder, seed0, 'steps.arrow');
      return [...mustEnd(ended), ...(fs.existsSync(file) ? [] : ['nothing was recovered'])];
    },
  },
  {
    name: 'R1 killed in the finalisation: --resume ends the run',
    async run(place) {
      const problems = await killedBefore(place, resumeAll, /metrics\.arrow(?!s)/);
      return [
        ...problems,
        ...mustEnd(await place.gradscope(resume(seed0))),
        ...mustBeUndisturbed(place, 'train'),
      ];
    },
  },
  {
    name: 'R2 disk full in the finalisation, then space again',
    async run(place) {
      crashedRuns(place);
      const fault = { kind: 'ENOSPC', at: 12, persistent: true } as const;
      const first = await place.gradscope(resumeAll, { fault });
      const problems = first.code === 0 ? ['said it had done'] : mustRefuse(first);
      return [
        ...problems,
        ...mustEnd(await place.gradscope(resume(seed0))),
        ...mustBeUndisturbed(place, 'train'),
      ];
    },
  },
  {
    name: 'R3 killed before the first checkpoint: the same command begins anew',
    async run(place) {
      const problems = await killedBefore(place, resumeAll, /steps\.arrows/);
      return [
        ...problems,
        ...mustEnd(await place.gradscope(resumeAll)),
        ...mustBeUndisturbed(place, 'train'),
      ];
    },
  },
  {
    name: 'R4 sweep killed before the first checkpoint of a point: the same sweep goes on',
    async run(place) {
      fs.copyFileSync(
        path.join(referenceFolder(place.work, 'sweep'), 'sweep.yaml'),
        path.join(place.folder, 'sweep.yaml'),
      );
      const sweep = ['sweep', 'sweep.yaml', '--out', 'runs'];
      const problems = await killedBefore(place, sweep, /width-12-seed0\/steps\.arrows/);
      return [...problems, ...mustEnd(await place.gradscope(sweep)), ...mustBeUndisturbed(place, 'sweep')];
    },
  },
  {
    name: 'R5 probe killed, recover, probe --missing: whole tables',
    async run(place) {
      completeRuns(place);
      const problems = await killedBefore(place, probe, /rename\t.*alignment\.arrow/);
      await place.gradscope(['recover', seed0]);
      problems.push(...mustEnd(await place.gradscope([...probe, '--missing'])));
      const wanted = path.join(referenceFolder(place.work, 'probe'), seed0);
      return [...problems, ...differences(path.join(place.folder, seed0), wanted)];
    },
  },
  {
    name: 'R7 recover of a living run in another PID namespace is refused',
    async run(place) {
      if ((await shell(place, 'unshare -pf --mount-proc true')) !== 0) return [];
      const args = [...trainTiny('0'), ...set('stages.0.epochs=800'), ...set('log.tier=off')];
      const child = spawn(
        'unshare',
        ['-pf', '--mount-proc', '--kill-child', process.execPath, mainFile, ...args],
        {
          cwd: place.folder,
          env: { ...process.env, GRADSCOPE_ENGINE: 'wasm' },
          stdio: 'ignore',
        },
      );
      await until(() => fs.existsSync(path.join(place.folder, seed0, 'checkpoints')), 30);
      const ended = await place.gradscope(['recover', seed0]);
      child.kill('SIGKILL');
      return mustRefuse(ended);
    },
  },
  {
    name: 'R8, R10 the folder becomes read-only, the quota is exceeded: one line, then the same command goes on',
    async run(place) {
      const problems = [];
      for (const kind of ['EROFS', 'EDQUOT'] as const) {
        fs.rmSync(path.join(place.folder, 'runs'), { recursive: true, force: true });
        const fault = { kind, at: 120, persistent: true };
        problems.push(
          ...mustRefuse(
            await place.gradscope(resumeAll, { fault }),
            kind === 'EDQUOT' ? /quota|space/i : /./,
          ),
        );
        problems.push(...mustEnd(await place.gradscope(resumeAll)), ...mustBeUndisturbed(place, 'train'));
      }
      return problems;
    },
  },
  {
    name: 'R9 TMPDIR is missing',
    async run({ gradscope }) {
      const env = { TMPDIR: '/nonexistent', GRADSCOPE_ENGINE: 'auto' };
      return problemsOfWords(await gradscope(trainTiny('0'), { env }));
    },
  },
];

/** Runs a line of the shell in the case's folder; gives its exit code. */
export async function shell({ folder }: CasePlace, line: string): Promise<number | null> {
  const child = spawn('bash', ['-c', line], {
    cwd: folder,
    env: { ...process.env, GRADSCOPE_ENGINE: 'wasm', NO_COLOR: '1' },
    stdio: 'ignore',
    timeout: 60_000,
  });
  return new Promise((resolve) => child.once('close', resolve));
}

async function until(reached: () => boolean, seconds: number): Promise<void> {
  const end = performance.now() + seconds * 1000;
  while (performance.now() < end && !reached()) await setTimeout(50);
}
