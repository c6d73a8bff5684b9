import fs from 'node:fs';
import path from 'node:path';
import { configs, mainFile, problemsOfWords } from '../command.js';
import { holdsControls } from '../outcome.js';
import { firstLine } from '../run-content.js';
import { trainTiny } from '../scenarios.js';
import {
  completeRuns,
  crashedRuns,
  edit,
  experiment,
  lastCheckpoint,
  mustEnd,
  mustRefuse,
  seed0,
  seed1,
  type CasePlace,
  type FaultCase,
} from './case.js';
import { shell } from './going-on.js';

const probe = ['probe', seed0, '--only', 'alignment', '--variables', '2', '--questions', '2', '--draws', '2'];
const smoke = path.join(configs, 'set-inclusion-smoke.yaml');

/** `data` of a config with lines added. */
const withLines = (name: string, lines: string, place = /yaml:\d+:\d+/): FaultCase => ({
  name,
  async run({ folder, gradscope }) {
    fs.writeFileSync(path.join(folder, 'config.yaml'), `extends: ${smoke}\n${lines}\n`);
    return mustRefuse(await gradscope(['data', 'config.yaml'], { limit: 20 }), place);
  },
});

/** Settings that cannot be meant: refused before there is a folder. */
const nonsense = (number: string, setting: string): FaultCase => ({
  name: `${number} run --set ${setting}`,
  async run({ folder, gradscope }) {
    const ended = await gradscope([...trainTiny('0'), '--set', setting], { limit: 30 });
    const made = fs.existsSync(path.join(folder, seed0)) ? ['a run folder was made'] : [];
    return [...mustRefuse(ended), ...made];
  },
});

/** Changes the header of the last checkpoint, keeping its length where that can be. */
const checkpoint = (name: string, change: (header: string) => string): FaultCase => ({
  name,
  async run(place) {
    completeRuns(place);
    const file = lastCheckpoint(path.join(place.folder, seed0));
    const bytes = fs.readFileSync(file);
    const end = 8 + Number(bytes.readBigUInt64LE(0));
    const header = change(bytes.subarray(8, end).toString().trimEnd());
    const padded = Buffer.from(header.padEnd(8 * Math.ceil(header.length / 8)));
    const length = Buffer.alloc(8);
    length.writeBigUInt64LE(BigInt(padded.length));
    fs.writeFileSync(file, Buffer.concat([length, padded, bytes.subarray(end)]));
    return mustRefuse(await place.gradscope(probe), /step-\d+\.safetensors/);
  },
});

/** Sets the row count of a table's last batch, everywhere in its metadata, to 2^40. */
function spoilRows(file: string): void {
  const bytes = fs.readFileSync(file);
  const start = file.endsWith('.arrow') ? 8 : 0;
  let at = start;
  let last: readonly [number, number] | null = null;
  while (at + 8 <= bytes.length && bytes.readInt32LE(at) === -1) {
    const length = bytes.readInt32LE(at + 4);
    if (length <= 0) break;
    const message = at + 8 + bytes.readInt32LE(at + 8);
    const vtable = message - bytes.readInt32LE(message);
    const slot = (i: number): number =>
      4 + 2 * i + 2 <= bytes.readUInt16LE(vtable) ? bytes.readUInt16LE(vtable + 4 + 2 * i) : 0;
    if (bytes.readUInt8(message + slot(1)) === 3) last = [at + 8, at + 8 + length];
    at += 8 + length + (slot(3) === 0 ? 0 : Number(bytes.readBigInt64LE(message + slot(3))));
  }
  if (last === null) throw new Error(`${file}: no batch`);
  const counts = new Map<bigint, number[]>();
  for (let i = last[0]; i + 8 <= last[1]; i += 4) {
    const value = bytes.readBigInt64LE(i);
    if (value > 3n && value < 100_000n) counts.set(value, [...(counts.get(value) ?? []), i]);
  }
  const [places] = [...counts.values()].sort((a, b) => b.length - a.length);
  for (const i of places ?? []) bytes.writeBigInt64LE(1n << 40n, i);
  fs.writeFileSync(file, bytes);
}

/** Runs a line in a terminal of a size; gives what it drew. */
async function inTerminal(place: CasePlace, columns: number, line: string, keys = ''): Promise<string> {
  const typed = keys
    .split('')
    .map((key) => `sleep 2; printf %s '${key}';`)
    .join(' ');
  const script = `(sleep 1; ${typed} sleep 2) | script -qec "stty cols ${columns} rows 30; ${line}" screen > /dev/null`;
  await shell(place, script);
  const file = path.join(place.folder, 'screen');
  return fs.existsSync(file) ? fs.readFileSync(file, 'utf8') : '';
}

const words = `'${process.execPath}' '${mainFile}'`;

export const reading: readonly FaultCase[] = [
  {
    name: 'D08, R30 a run folder that is a link is counted',
    async run(place) {
      completeRuns(place);
      fs.renameSync(path.join(place.folder, seed1), path.join(place.folder, 'elsewhere'));
      fs.symlinkSync(path.join(place.folder, 'elsewhere'), path.join(place.folder, seed1));
      const ended = await place.gradscope(['analyze', 'runs']);
      return [...mustEnd(ended), ...(ended.stdout.includes('2 seeds') ? [] : ['one seed is left out'])];
    },
  },
  {
    name: 'D09 stray files do not hide runs',
    async run(place) {
      completeRuns(place);
      for (const name of ['combined.arrow', 'config.yaml', 'lock']) {
        fs.writeFileSync(path.join(place.folder, experiment, name), 'x');
        fs.writeFileSync(path.join(place.folder, 'runs', name), 'x');
      }
      const ended = await place.gradscope(['analyze', 'runs']);
      return [...problemsOfWords(ended), ...(ended.stdout.includes('2 seeds') ? [] : ['runs are left out'])];
    },
  },
  {
    name: 'D10 terminals of 0, 15 and 19 columns',
    async run(place) {
      completeRuns(place);
      const problems = [];
      for (const columns of [0, 15, 19]) {
        const screen = await inTerminal(place, columns, `${words} analyze runs; echo status $?`);
        if (!/status 0/.test(screen))
          problems.push(`${columns} columns: ${firstLine(screen.slice(-300).trim())}`);
      }
      return problems;
    },
  },
  {
    name: 'D11 CI=true in a terminal: the browser draws what is asked for',
    async run(place) {
      completeRuns(place);
      const screen = await inTerminal(place, 100, `CI=true ${words} tui runs`, '7q');
      return screen.includes('tiedEmbedding') ? [] : ['the view that key 7 asks for was not drawn'];
    },
  },
  withLines('D13, R17 alias without an anchor', 'description: *nothing'),
  withLines('R18 an alias 200 times', `description: &x {}\ny: [${'*x, '.repeat(200)}*x]`),
  withLines(
    'R19 an alias bomb',
    'a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: [*b,*b,*b,*b,*b,*b,*b,*b,*b]',
  ),
  withLines('R20 a circle of aliases', 'data: &d { variables: *d }'),
  {
    name: 'D14 the analysis cannot be written: it is shown all the same',
    async run(place) {
      completeRuns(place);
      fs.writeFileSync(path.join(place.folder, experiment, 'analysis'), 'a file');
      const ended = await place.gradscope(['analyze', 'runs']);
      return [...problemsOfWords(ended), ...(ended.stdout.includes('2 seeds') ? [] : ['no report'])];
    },
  },
  {
    name: 'D15 one unreadable table: the others are analysed',
    async run(place) {
      completeRuns(place);
      const trained = await place.gradscope(trainTiny('0..1', ['--set', 'name=other']));
      const cut = path.join(place.folder, seed1, 'gradients.arrow');
      fs.truncateSync(cut, fs.statSync(cut).size - 100);
      const ended = await place.gradscope(['analyze', 'runs']);
      const problems = [...mustEnd(trained), ...problemsOfWords({ ...ended, code: 0 })];
      if (!/set-inclusion other: 2 seeds/.test(ended.stdout)) problems.push('the other arm is not analysed');
      if (!`${ended.stderr}${ended.stdout}`.includes('gradients.arrow'))
        problems.push('no word about the damaged table');
      return problems;
    },
  },
  {
    name: 'D18 messages name what was typed',
    async run({ gradscope }) {
      const problems = [];
      for (const [setting, wrong] of [
        ['stages.0.epochs=.inf', /null/],
        ['stages.0.epochs=1e400', /null/],
        ['model.kind=convnet', /unknown key "(\w+)"; did you mean "\1"/],
        ['stages..epochs=3', /^$/],
      ] as const) {
        const ended = await gradscope(['data', smoke, '--set', setting]);
        problems.push(...mustRefuse(ended).map((problem) => `${setting}: ${problem}`));
        if (wrong.test(ended.stderr)) problems.push(`${setting}: ${ended.stderr.split('\n')[0]}`);
      }
      return problems;
    },
  },
  {
    name: 'D19 a sweep report of other configs',
    async run(place) {
      const from = path.join(place.work, 'references/sweep');
      fs.cpSync(from, place.folder, { recursive: true });
      const args = ['sweep', 'sweep.yaml', '--out', 'runs', '--report', '--set', 'stages.0.epochs=77'];
      const ended = await place.gradscope(args);
      const shown = /another config/.test(ended.stdout) ? [] : ['the table says nothing of the other config'];
      return [...mustRefuse(ended), ...shown];
    },
  },
  {
    name: 'D20 analyses at once',
    async run(place) {
      completeRuns(place);
      const problems = [];
      for (let round = 0; round < 2; round++) {
        const all = await Promise.all([0, 1, 2].map(() => place.gradscope(['analyze', 'runs'])));
        problems.push(...all.flatMap(mustEnd));
      }
      return problems;
    },
  },
  {
    name: 'D21 --row beyond 10,000 is a row like others',
    async run(place) {
      completeRuns(place);
      return mustEnd(await place.gradscope(['show', seed0, '--view', 'minibatches', '--row', '10999']));
    },
  },
  {
    name: 'D23 data of several seeds: all of them, or a refusal',
    async run({ gradscope }) {
      const ended = await gradscope(['data', smoke, '--seed', '1..3']);
      if (ended.code !== 0) return mustRefuse(ended);
      const missing = [1, 2, 3].filter((seed) => !new RegExp(`seed ${seed}\\b`).test(ended.stdout));
      return [...problemsOfWords(ended), ...missing.map((seed) => `nothing of seed ${seed}`)];
    },
  },
  {
    name: 'R11 a row count of 2^40: analyze and show',
    async run(place) {
      completeRuns(place);
      spoilRows(path.join(place.folder, seed0, 'metrics.arrow'));
      const problems = problemsOfWords({ ...(await place.gradscope(['analyze', seed0])), code: 0 });
      problems.push(...problemsOfWords(await place.gradscope(['show', seed0, '--view', 'training'])));
      return problems;
    },
  },
  {
    name: 'R12 a row count of 2^40: recover keeps the stream',
    async run(place) {
      crashedRuns(place);
      const stream = path.join(place.folder, seed0, 'gram.arrows');
      spoilRows(stream);
      const ended = await place.gradscope(['recover', seed0]);
      const kept = fs.existsSync(stream) || fs.existsSync(`${stream}.bak`);
      return [...problemsOfWords({ ...ended, code: 0 }), ...(kept ? [] : ['the stream is gone'])];
    },
  },
  checkpoint('R13 checkpoint: metadata that are no JSON', (header) =>
    header.replace(/"gradscope":"\{/, '"gradscope":"['),
  ),
  checkpoint('R14 checkpoint: a tensor is missing', (header) => header.replace('"parameter/', '"nothing//')),
  checkpoint('R15 checkpoint: a stage that the config has not', (header) =>
    header.replace(/\\"stage\\":\d/, '\\"stage\\":7'),
  ),
  {
    name: 'R16 checkpoint: NaN in a parameter',
    async run(place) {
      completeRuns(place);
      const file = lastCheckpoint(path.join(place.folder, seed0));
      const bytes = fs.readFileSync(file);
      const start = 8 + Number(bytes.readBigUInt64LE(0));
      for (let i = 0; i < 4; i++) bytes.writeFloatLE(Number.NaN, start + 4 * i);
      fs.writeFileSync(file, bytes);
      return mustRefuse(await place.gradscope(probe), /step-\d+\.safetensors/);
    },
  },
  nonsense('R21', 'data.maxNumber=1e15'),
  nonsense('R22', 'data.blockSize=100000000'),
  nonsense('R23', 'model.width=3000000'),
  nonsense('R24', 'evaluation.batchSize=1e15'),
  nonsense('R25', 'log.sketchSize=1e15'),
  nonsense('R26', 'checkpoint.perStage=1e15'),
  nonsense('F10', 'stages.0.epochs=0.0001'),
  nonsense('F10', 'stages.0.parameterGroups=[{ parameters: nothing.like.it, learningRate: 1 }]'),
  {
    name: 'R27, R28 a run.json with a path and an escape for a name',
    async run(place) {
      const problems = [];
      for (const name of ['../../../outside', 'tiny\\u001b]0;pwned\\u0007']) {
        fs.rmSync(path.join(place.folder, 'runs'), { recursive: true, force: true });
        completeRuns(place);
        edit(path.join(place.folder, seed0, 'run.json'), (text) =>
          text.replace('"name": "tiny"', `"name": "${name}"`),
        );
        const ended = await place.gradscope(['analyze', 'runs']);
        problems.push(...problemsOfWords({ ...ended, code: 0 }));
        if (holdsControls(ended.stdout + ended.stderr)) problems.push('a raw escape');
        if (fs.existsSync(path.join(place.folder, 'outside'))) problems.push('written outside');
      }
      return problems;
    },
  },
  {
    name: 'R29 --out /proc/none',
    async run({ gradscope }) {
      const args = trainTiny('0').map((word) => (word === 'runs' ? '/proc/none' : word));
      return mustRefuse(await gradscope(args, { limit: 30 }));
    },
  },
  {
    name: 'R31 results that nobody can take: exit code not 0',
    async run(place) {
      completeRuns(place);
      const problems = [];
      for (const args of ['analyze runs --json', 'show runs']) {
        const code = await shell(place, `${words} ${args} > /dev/full`);
        if (code === 0) problems.push(`${args} > /dev/full ends with 0`);
      }
      return problems;
    },
  },
];
