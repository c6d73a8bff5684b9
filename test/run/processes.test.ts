import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { readRunInfo } from '../../src/store/run-folder.js';
import { checkpointReached, commandLine, type Ended } from '../support/command-line.js';
import { finalWeights, temporaryFolder, tiny } from './support.js';

/** Begins a program in a PID namespace of its own, as a container has one, under the host name of this machine. */
const container = ['unshare', '--user', '--map-root-user', '--pid', '--fork', '--mount-proc', '--kill-child'];

/** Why that cannot be here; null where it can. */
const noContainers = ((): string | null => {
  const [program = '', ...args] = container;
  const { error, status, stderr } = spawnSync(program, [...args, 'true'], { encoding: 'utf8' });
  return status === 0 ? null : (error?.message ?? stderr.trim());
})();
if (noContainers !== null) console.log(`skipping runs in PID namespaces of their own: ${noContainers}`);

const folders = (root: string): string[] =>
  [0, 1].map((seed) => path.join(root, 'set-inclusion', `tiny-seed${seed}`));

/** Some seconds of training, with a checkpoint ten times a second. */
const start = (root: string, epochs = 6): string[] => [
  'run',
  'configs/set-inclusion-smoke.yaml',
  '--seeds',
  '0..1',
  '--existing',
  'resume',
  '--out',
  root,
  ...tiny
    .filter((setting) => !setting.startsWith('stages.'))
    .concat('model.layers=1', `stages.0.epochs=${epochs}`, 'stages.1.epochs=2')
    .concat('log.tier=off', 'evaluation.everyEpochs=100', 'checkpoint.everySeconds=0.1')
    .flatMap((setting) => ['--set', setting]),
];

const weightsOf = (root: string): Map<string, Float32Array>[] => folders(root).map(finalWeights);

/** The process that a run folder says that it is written by, as this process sees it: the one below `unshare`. */
function processBelow(parent: number): number {
  const children = fs.readFileSync(`/proc/${parent}/task/${parent}/children`, 'utf8').trim();
  return Number(children.split(' ')[0]);
}

test.skipIf(noContainers !== null)(
  'two containers of one host name: the second leaves the runs to the first, which SIGUSR1 stops for the next start',
  async () => {
    const root = temporaryFolder();
    const seen: { second?: Promise<Ended>; both?: string[] } = {};
    const first = await commandLine(start(root, 400), {
      within: container,
      killed: async (gone, { pid }) => {
        await checkpointReached(folders(root)[0]!, 1, gone);
        const second = await commandLine(start(root), { within: container });
        expect(second.stderr).toMatch(
          /^gradscope: run folder .*tiny-seed0 is being written by process \d+ on .*, in another container or boot since/m,
        );
        expect(second.code).toBe(75);
        // Of both that still write there is one.
        seen.both = folders(root).map((folder) => readRunInfo(folder).status);
        const inner = processBelow(pid!);
        for (const signal of ['SIGUSR1', 'SIGTERM', 'SIGTERM'] as const) {
          process.kill(inner, signal);
          await setTimeout(20);
        }
      },
      signal: null,
    });
    expect(seen.both).toEqual(['running', 'running']);
    expect(first.stderr).toContain('SIGUSR1: stopping at the next step, with a checkpoint');
    expect(first.stderr).not.toContain('Debugger');
    expect(first.code).toBe(75);
    for (const folder of folders(root)) expect(readRunInfo(folder).status).toBe('interrupted');
  },
);

test('killed before its first checkpoint, a run begins anew by the same command; two at once share the work', async () => {
  const whole = temporaryFolder();
  const undisturbed = commandLine(start(whole));
  const root = temporaryFolder();
  const killed = await commandLine(start(root), {
    killed: async (gone) => {
      while (!gone.aborted && !fs.existsSync(path.join(folders(root)[1]!, 'run.json'))) await setTimeout(1);
    },
  });
  expect(killed.code).toBe(null);
  expect((await undisturbed).code).toBe(0);
  // A job brings the folder for temporary files of the machine it was sent from.
  const env = { TMPDIR: os.tmpdir(), TMP: '/nonexistent' };
  const both = await Promise.all([commandLine(start(root), { env }), commandLine(start(root), { env })]);
  for (const { code, stderr } of both) {
    expect(stderr).toContain('gradscope: TMP: /nonexistent is not there; temporary files go to ');
    expect(stderr).not.toMatch(/^\s+at /m);
    expect([0, 75]).toContain(code);
  }
  // Whoever ends last finds the other's runs complete.
  expect(both.map(({ code }) => code)).toContain(0);
  expect(weightsOf(root)).toEqual(weightsOf(whole));
});
