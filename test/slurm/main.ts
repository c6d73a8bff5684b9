// `npm run test:slurm`: studies on a Slurm cluster, also while its nodes lose their power.
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { Command } from 'commander';
import { createStream } from '../../data/random/streams.js';
import { disturb, isActive, releaseHeld } from './chaos.js';
import { restartsOf, runProgram, startCluster, statesOf, whyNoCluster, type Cluster } from './cluster.js';
import { compareStudies, jobsIn, logsOf, sweep, writeStudy, type Study } from './study.js';

const { seeds, seconds, keep } = new Command('npm run test:slurm --')
  .description('runs studies on a Slurm cluster of this machine, disturbs it, and compares what comes out')
  .option('--seeds <seeds>', 'random seeds of the disturbances, separated by commas', '1,2,3')
  .option('--seconds <seconds>', 'how long each of them lasts', '120')
  .option('--keep <folder>', 'folder that everything is left in')
  .parse()
  .opts<{ seeds: string; seconds: string; keep?: string }>();

/** Longest time for what is left when the disturbances are over, s: of a lost node, its lock and its requeueing. */
const patience = 900;

const started = Date.now();
const tell = (text: string): void =>
  console.log(`${String(Math.round((Date.now() - started) / 1000)).padStart(5)} s  ${text}`);
const failures: string[] = [];
const check = (what: string, problems: readonly string[]): void => {
  tell(`${problems.length === 0 ? 'ok  ' : 'FAIL'} ${what}`);
  for (const problem of problems.slice(0, 20)) console.log(`           ${problem}`);
  failures.push(...problems);
};

async function waitFor(cluster: Cluster, ids: readonly string[]): Promise<string[]> {
  const counts = { 'power cut': 0, requeue: 0, preemption: 0, USR1: 0, release: 0 };
  for (const end = Date.now() + 1000 * patience; Date.now() < end; await setTimeout(2000)) {
    if (!(await isActive(cluster, ids))) break;
    await releaseHeld(cluster, ids, counts);
  }
  const states = await statesOf(cluster, ids);
  return [...states].flatMap(([id, state]) => (state === 'COMPLETED' ? [] : [`${id} is ${state}`]));
}

/** A study is trained, probed, reported on and analysed by one submission. */
async function whole(cluster: Cluster, folder: string): Promise<void> {
  const lines = `mediator: alignment.tagSwapGap.all\n`;
  const study = writeStudy(folder, path.join(folder, 'runs'), '0..0', lines);
  const args = ['--set', 'stages.0.epochs=2', '--set', 'stages.1.epochs=1', '--set', 'checkpoint.perStage=1'];
  const text = await sweep(study, [...args, '--slurm', '--analyze', '--cpus', '1'], cluster);
  const ids = jobsIn(text);
  check('one submission has jobs for training, probes, report and analysis', ids.length === 4 ? [] : [text]);
  check('all of them complete', await waitFor(cluster, ids));
  const expected = [
    ...study.runs.map((run) => `set-inclusion/${run}/alignment.arrow`),
    'set-inclusion/sweeps/chaos/sweep.svg',
    'set-inclusion/analysis/chaos-32/analysis.json',
  ];
  check(
    'probes, figure and analysis are there',
    expected.filter((name) => !fs.existsSync(path.join(study.out, name))).map((name) => `${name} is missing`),
  );
  const status = await sweep(study, [...args, '--status'], cluster);
  check('the status says so', /nothing is left to train/.test(status) ? [] : [status]);
}

/** Tasks that are cancelled stay so, each with a checkpoint, and are no part of a report that asks for all. */
async function cancelled(cluster: Cluster, folder: string): Promise<void> {
  const study = writeStudy(folder, path.join(folder, 'runs'), '0..0');
  const ids = jobsIn(await sweep(study, ['--slurm', '--pack', '1', '--steal', 'off'], cluster));
  const [train = ''] = ids;
  for (let i = 0; i < 120 && !study.runs.some((run) => isTrained(study, run)); i++) await setTimeout(500);
  await runProgram(['scancel', train], cluster.environment);
  await waitFor(cluster, ids);
  const states = [...(await statesOf(cluster, [train])).values()];
  const restarts = await restartsOf(cluster, [train]);
  check(
    'cancelled tasks stay cancelled',
    states.includes('CANCELLED') && restarts === 0 ? [] : [`${states.join(', ')}, ${restarts} restarts`],
  );
  const text = await sweep(study, ['--report', '--require-complete'], cluster, 75);
  check(
    'the report says what is missing',
    /\d of 3 runs are missing or not complete/.test(text) ? [] : [text],
  );
}

const isTrained = ({ out }: Study, run: string): boolean => {
  const folder = path.join(out, 'set-inclusion', run, 'checkpoints');
  return fs.existsSync(folder) && fs.readdirSync(folder).length > 1;
};

async function chaos(cluster: Cluster, folder: string, seed: number, reference: Study): Promise<void> {
  const study = { ...reference, out: path.join(folder, 'runs') };
  const ids = jobsIn(await sweep(study, ['--slurm', '--pack', '1', '--cpus', '1'], cluster));
  const counts = await disturb(
    cluster,
    ids.slice(0, 1),
    Number(seconds),
    createStream(seed, 'chaos'),
    (text) => tell(`     ${text}`),
  );
  const all = Object.entries(counts).map(([kind, count]) => `${count} x ${kind}`);
  tell(`     quiet: ${all.join(', ')}`);
  check(`seed ${seed}: every task and the report complete`, await waitFor(cluster, ids));
  tell(
    `     ${study.runs.length + (await restartsOf(cluster, ids.slice(0, 1)))} starts of ${study.runs.length} tasks`,
  );
  const { problems, files } = compareStudies(study, reference);
  check(`seed ${seed}: weights, tables and results are those of the undisturbed study`, problems);
  const kinds = [...files].map(([kind, { same, all: count }]) => `${kind} ${same}/${count}`);
  tell(`     the same byte by byte: ${kinds.join(', ')}`);
  if (problems.length > 0) tell(`     logs: ${logsOf(study)}`);
}

const why = whyNoCluster();
if (why !== null) {
  console.log(`skipped: ${why}`);
} else {
  const folder = keep === undefined ? fs.mkdtempSync(path.join(os.tmpdir(), 'gradscope-slurm-')) : keep;
  fs.mkdirSync(folder, { recursive: true });
  const cluster = await startCluster(path.resolve(folder, 'cluster'));
  try {
    tell(
      `two nodes${cluster.canLosePower ? ', with processes of their own' : ', which cannot lose their power'}`,
    );
    const reference = writeStudy(path.join(folder, 'study'), path.join(folder, 'serial'), '0..3');
    await sweep(reference, ['--task', '0/1', '--pack', '1', '--engine', 'native']);
    await sweep(reference, ['--report', '--require-complete']);
    tell(`serial reference: ${reference.runs.length} runs`);
    await whole(cluster, path.join(folder, 'whole'));
    await cancelled(cluster, path.join(folder, 'cancelled'));
    for (const seed of seeds.split(',').map(Number))
      await chaos(cluster, path.join(folder, `chaos${seed}`), seed, reference);
  } finally {
    cluster.down();
  }
  if (keep === undefined && failures.length === 0) fs.rmSync(folder, { recursive: true, force: true });
  else console.log(`left: ${folder}`);
  console.log(failures.length === 0 ? 'all passed' : `${failures.length} problems`);
  process.exitCode = failures.length === 0 ? 0 : 1;
}
