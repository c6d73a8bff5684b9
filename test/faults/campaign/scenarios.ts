import fs from 'node:fs';
import path from 'node:path';
import { command, configs, problemsOfWords, type Ended } from './command.js';
import { applies } from './fault-kinds.mjs';
import { differences } from './run-content.js';

/** The smallest run that has everything: two stages, all tables, several checkpoints, dozens of updates. */
export const tinySettings = [
  'name=tiny',
  'data.variables=40',
  'model.width=8',
  'model.feedForward=16',
  'model.layers=1',
  'evaluation.maxExamples=8',
  'evaluation.everyEpochs=1',
  'log.sketchSize=8',
  'log.sketch={ every: 5 }',
  'log.vectors={ every: 10 }',
  'log.exampleNorms={ every: 4 }',
  'stages.0.batchSize=64',
  'stages.1.batchSize=64',
  'stages.0.epochs=2',
  'stages.1.epochs=2',
  // Checkpoints by the step, none by the clock: the calls of the file system are then the same in every run.
  'checkpoint.everySeconds=1000',
  'checkpoint.perStage=4',
];

const sets = (settings: readonly string[]): string[] => settings.flatMap((setting) => ['--set', setting]);

/** Arguments that train tiny runs in `runs`. */
export function trainTiny(seeds: string, more: readonly string[] = []): string[] {
  return [
    'run',
    path.join(configs, 'set-inclusion-smoke.yaml'),
    '--seeds',
    seeds,
    '--out',
    'runs',
    ...sets(tinySettings),
    ...more,
  ];
}

/** A command that is disturbed, from a state it starts in. */
export interface Scenario {
  readonly name: 'train' | 'probe' | 'probe again' | 'analyze' | 'analyze again' | 'sweep';
  /** Scenario whose end is the state it starts in; null starts with nothing. */
  readonly after: Scenario | null;
  readonly args: readonly string[];
}

const train: Scenario = { name: 'train', after: null, args: trainTiny('0..1', ['--existing', 'resume']) };
const probe: Scenario = {
  name: 'probe',
  after: train,
  args: [
    'probe',
    'runs',
    '--only',
    'alignment,transfer-path',
    '--variables',
    '2',
    '--questions',
    '2',
    '--draws',
    '2',
  ],
};
const analyze: Scenario = { name: 'analyze', after: probe, args: ['analyze', 'runs'] };
const sweep: Scenario = { name: 'sweep', after: null, args: ['sweep', 'sweep.yaml', '--out', 'runs'] };

/** The commands that write. `again`: over the complete results of an earlier call, which must outlive a kill. */
export const scenarios: readonly Scenario[] = [
  train,
  probe,
  { ...probe, name: 'probe again', after: probe },
  analyze,
  { ...analyze, name: 'analyze again', after: analyze },
  sweep,
];

/** Whether the tables of an earlier call must be there at every moment. */
export function keepsEarlier({ name }: Scenario): boolean {
  return name === 'probe again' || name === 'analyze again';
}

/** An undisturbed call. */
export interface Reference {
  /** Folder with `runs` as the command left it. */
  readonly folder: string;
  /** Operation and path of each call of the file system in `runs`, in their order. */
  readonly calls: readonly { readonly operation: string; readonly file: string }[];
  readonly seconds: number;
}

/** Where the references of a campaign lie. */
export function referenceFolder(work: string, name: Scenario['name']): string {
  return path.join(work, 'references', name.replace(' ', '-'));
}

/** The folder of a seed's complete and probed tiny run. */
export function wholeRun(work: string, seed: number): string {
  return path.join(referenceFolder(work, 'probe'), 'runs/set-inclusion', `tiny-seed${seed}`);
}

/** The folder of a seed's tiny run that was killed when its last step was done: its tables are streams. */
export function crashedRun(work: string, seed: number): string {
  return path.join(work, 'references/crashed/runs/set-inclusion', `tiny-seed${seed}`);
}

/** Makes the folders of {@link crashedRun}. */
export async function makeCrashed(work: string): Promise<void> {
  const folder = path.join(work, 'references/crashed');
  if (fs.existsSync(folder)) return;
  startingState(work, train, folder);
  const { calls } = referenceOf(work, train);
  const [at] = finalisation(referenceOf(work, train));
  const kind = 'before';
  const count = calls.slice(0, at).filter(({ operation }) => applies(kind, operation)).length;
  await command(train.args, { cwd: folder, fault: { kind, at: count + 1, persistent: false } });
}

/** Numbers of the calls after the last checkpoint of the run that they are of. */
export function finalisation({ calls }: Reference): number[] {
  const runOf = (file: string): string => file.split('/').slice(0, 2).join('/');
  const last = new Map<string, number>();
  calls.forEach(({ operation, file }, i) => {
    // An exchanged half reads the checkpoints of the run that it begins from.
    if (file.includes('checkpoints') && applies('before', operation)) last.set(runOf(file), i);
  });
  return calls.flatMap(({ file }, i) => (i > (last.get(runOf(file)) ?? calls.length) ? [i] : []));
}

/** Makes a folder in the state that a scenario starts in. */
export function startingState(work: string, scenario: Scenario, folder: string): void {
  fs.mkdirSync(folder, { recursive: true });
  if (scenario.after !== null) {
    fs.cpSync(path.join(referenceFolder(work, scenario.after.name), 'runs'), path.join(folder, 'runs'), {
      recursive: true,
    });
  }
  fs.writeFileSync(path.join(folder, 'sweep.yaml'), sweepFile);
}

const sweepFile = [
  'sweep: width',
  `base: ${path.join(configs, 'set-inclusion-smoke.yaml')}`,
  `set: ${JSON.stringify(tinySettings.filter((setting) => !/^(?:name|model\.width)=/.test(setting)))}`,
  'axis: { key: model.width, label: width }',
  'points: [{ value: 8, seeds: 0 }, { value: 12, seeds: 0 }]',
  '',
].join('\n');

/** Runs every scenario undisturbed, twice: what differs between the two cannot be asked of a disturbed one. */
export async function makeReferences(
  work: string,
  wanted: readonly Scenario[],
  onProgress: (line: string) => void,
): Promise<void> {
  for (const scenario of wanted) {
    const folder = referenceFolder(work, scenario.name);
    if (fs.existsSync(path.join(folder, 'reference.json'))) continue;
    if (scenario.after !== null) await makeReferences(work, [scenario.after], onProgress);
    onProgress(`undisturbed: ${scenario.name}`);
    startingState(work, scenario, folder);
    await undisturbed(scenario, folder, {});
    const second = `${folder}-counted`;
    startingState(work, scenario, second);
    const log = path.join(second, 'calls');
    const { seconds } = await undisturbed(scenario, second, { log });
    const differing = differences(path.join(second, 'runs'), path.join(folder, 'runs'));
    if (differing.length > 0)
      throw new Error(`${scenario.name} is not reproducible: ${differing.join('; ')}`);
    const calls = fs
      .readFileSync(log, 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) => {
        const [operation, file] = line.split('\t');
        return { operation, file };
      });
    fs.writeFileSync(path.join(folder, 'reference.json'), JSON.stringify({ calls, seconds }));
    fs.rmSync(second, { recursive: true });
  }
}

async function undisturbed(
  { name, args }: Scenario,
  cwd: string,
  options: { readonly log?: string },
): Promise<Ended> {
  const ended = await command(args, { cwd, limit: 300, ...options });
  if (ended.code === 0 && problemsOfWords(ended).length === 0) return ended;
  throw new Error(`${name} fails undisturbed: exit code ${ended.code}: ${ended.stderr}`);
}

const cache = new Map<string, Reference>();

/** The undisturbed call of a scenario, after {@link makeReferences}. */
export function referenceOf(work: string, { name }: Scenario): Reference {
  const folder = referenceFolder(work, name);
  let reference = cache.get(folder);
  if (reference === undefined) {
    const facts: Omit<Reference, 'folder'> = JSON.parse(
      fs.readFileSync(path.join(folder, 'reference.json'), 'utf8'),
    );
    reference = { ...facts, folder };
    cache.set(folder, reference);
  }
  return reference;
}
