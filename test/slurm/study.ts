import fs from 'node:fs';
import path from 'node:path';
import { differences, filesIn } from '../faults/campaign/run-content.js';
import { runProgram, type Cluster } from './cluster.js';

/** The program as a user has it. */
const program = [process.execPath, path.resolve('dist/src/cli/main.js')];

/** A study in a folder of its own: its file, and the folder of its runs. */
export interface Study {
  readonly file: string;
  readonly out: string;
  /** Names of its runs. */
  readonly runs: readonly string[];
}

/** Arms that train for some hundred steps, each with its own number of variables; names of the runs follow from them. */
const batchSizes = [32, 48, 64];

/**
 * Writes a study of 3 x 4 runs, small enough that each takes some ten seconds, with a checkpoint every second.
 *
 * @param lines more lines of its file
 */
export function writeStudy(folder: string, out: string, seeds: string, lines = ''): Study {
  fs.mkdirSync(folder, { recursive: true });
  const set = [
    'data.variables=200',
    'model.layers=1',
    'model.width=16',
    'model.feedForward=32',
    'stages.0.epochs=12',
    'stages.1.epochs=4',
    'evaluation.everyEpochs=3',
    'evaluation.maxExamples=50',
    'checkpoint.everySeconds=1',
    'log.tier=groups',
    'tagExchange=false',
  ];
  const file = path.join(folder, 'chaos.yaml');
  fs.writeFileSync(
    file,
    `sweep: chaos
base: ${path.resolve('configs/set-inclusion-smoke.yaml')}
seeds: ${seeds}
set: ${JSON.stringify(set)}
axes: [{ key: stages.0.batchSize, values: [${batchSizes.join(', ')}] }]
${lines}`,
  );
  const last = Number(seeds.split('..').at(-1));
  const runs = batchSizes.flatMap((size) =>
    Array.from({ length: last + 1 }, (_, seed) => `chaos-${size}-seed${seed}`),
  );
  return { file, out, runs };
}

/** Calls `gradscope sweep` on a study. Throws with what it said when its exit code is another than expected. */
export async function sweep(
  { file, out }: Study,
  args: readonly string[],
  cluster?: Cluster,
  expected = 0,
): Promise<string> {
  const { code, text } = await runProgram(
    [...program, 'sweep', file, '--out', out, ...args],
    cluster?.environment,
  );
  if (code !== expected) throw new Error(`gradscope sweep ${args.join(' ')}: exit code ${code}\n${text}`);
  return text;
}

/** Ids of the jobs that a submission printed, the report's the last. */
export const jobsIn = (text: string): string[] =>
  [...text.matchAll(/^\w+: job (\d+)/gm)].map(([, id]) => id!);

const sweepFolder = ({ out }: Study): string => path.join(out, 'set-inclusion/sweeps/chaos');

export const logsOf = (study: Study): string => path.join(sweepFolder(study), 'logs');

/**
 * Files of a run that hold times, processes, or (checkpoints) how far streams had come: their bytes differ, what else they say
 * must not.
 */
const withTimes = new Set(['steps.arrow', 'events.arrow', 'run.json', 'checkpoints']);

/**
 * What differs between the runs and results of two studies that should be the same, and how many files of each kind are so byte
 * by byte: all but those with times have to be.
 */
export function compareStudies(
  actual: Study,
  expected: Study,
): { readonly problems: string[]; readonly files: Map<string, { same: number; all: number }> } {
  const problems: string[] = [];
  const files = new Map<string, { same: number; all: number }>();
  for (const run of expected.runs) {
    const [own, wanted] = [actual, expected].map(({ out }) => path.join(out, 'set-inclusion', run));
    problems.push(...differences(own!, wanted!).map((problem) => `${run}: ${problem}`));
    for (const name of filesIn(wanted!)) {
      const [a, b] = [own!, wanted!].map((folder) => path.join(folder, name));
      const kind = name.startsWith('checkpoints') ? 'checkpoints' : name;
      const { same, all } = files.get(kind) ?? { same: 0, all: 0 };
      const isSame = fs.existsSync(a!) && fs.readFileSync(a!).equals(fs.readFileSync(b!));
      files.set(kind, { same: same + Number(isSame), all: all + 1 });
      if (!isSame && !withTimes.has(kind)) problems.push(`${run}: ${name} has other bytes`);
    }
  }
  for (const name of ['sweep.csv', 'sweep.arrow']) {
    const [a, b] = [actual, expected].map((study) => path.join(sweepFolder(study), name));
    if (!fs.existsSync(a!)) problems.push(`${name} is missing`);
    else if (!fs.readFileSync(a!).equals(fs.readFileSync(b!))) problems.push(`${name}: other content`);
  }
  return { problems, files };
}
