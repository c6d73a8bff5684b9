import fs from 'node:fs';
import path from 'node:path';
import { tables } from '../../../../src/store/tables/registry.js';
import { TableWriter } from '../../../../src/store/table-writer.js';
import { views } from '../../../../tui/views/registry.js';
import { dimensions as sampleDimensions } from '../../../store/samples.js';
import type { Area, CaseContext, CaseResult } from '../area.js';
import { command, problemsOfWords, type Ended } from '../command.js';
import { hostilePaths, hostileText } from '../mutations.js';
import { holdsControls } from '../outcome.js';
import { changes, snapshot } from '../run-content.js';
import { crashedRun, referenceFolder, startingState, trainTiny } from '../scenarios.js';

const tiny = 'runs/set-inclusion/tiny-seed0';

/** Something that comes with a folder from somebody else. */
interface Source {
  readonly what: string;
  /** Puts it into a folder that holds complete, probed and analysed runs. */
  readonly place: (folder: string) => void;
}

type Json = Record<string, unknown>;

/** Changes a JSON file. */
function editJson(file: string, change: (content: Json) => void): void {
  const content: Json = JSON.parse(fs.readFileSync(file, 'utf8'));
  change(content);
  fs.writeFileSync(file, JSON.stringify(content, null, 2));
}

const inRunJson = (what: string, change: (info: Json, text: string) => void): Source => ({
  what: `run.json: ${what}`,
  place: (folder) => editJson(path.join(folder, tiny, 'run.json'), (info) => change(info, hostileText)),
});

/** Entries of the first item of a list. */
const firstOf = (list: unknown): Json => (Array.isArray(list) ? (list[0] as Json) : {});

const analysisOf = (folder: string): string =>
  path.join(folder, 'runs/set-inclusion/analysis/tiny/analysis.json');

/** Replaces a text everywhere in a file, keeping its length. */
function replaceBytes(file: string, from: string, by: string): void {
  const bytes = fs.readFileSync(file).toString('latin1');
  fs.writeFileSync(
    file,
    Buffer.from(bytes.replaceAll(from, by.padEnd(from.length, 'z').slice(0, from.length)), 'latin1'),
  );
}

/** Writes a table of events with a hostile message and columns named after hostile groups, as streams. */
function hostileTables(folder: string): void {
  const run = path.join(folder, tiny);
  for (const table of ['events', 'steps']) fs.rmSync(path.join(run, `${table}.arrow`), { force: true });
  const dimensions = { ...sampleDimensions, groups: [hostileText] };
  const options = { folder: run, dimensions };
  const events = TableWriter.create({ ...options, table: tables.events });
  const row = events.reserve(1);
  events.column('step')[row] = 1;
  events.column('time')[row] = 0;
  events.column('kind')[row] = events.indexOf('kind', 'start');
  events.column('message')[row] = hostileText;
  events.close();
  TableWriter.create({ ...options, table: tables.steps }).close();
}

const sources: readonly Source[] = [
  inRunJson('name', (info, text) => (info['name'] = text)),
  inRunJson('experiment', (info, text) => (info['experiment'] = text)),
  inRunJson('engine', (info, text) => (info['engine'] = text)),
  inRunJson('status', (info, text) => (info['status'] = text)),
  inRunJson('groups', (info, text) => (info['groups'] = [text])),
  inRunJson('stage name', (info, text) => (firstOf(info['stages'])['name'] = text)),
  inRunJson('stage set', (info, text) => (firstOf(info['stages'])['trainOn'] = text)),
  inRunJson('sampler', (info, text) => (firstOf(info['stages'])['sampler'] = text)),
  inRunJson('optimizer', (info, text) => (firstOf(info['stages'])['optimizer'] = text)),
  inRunJson('tensor', (info, text) => (firstOf(info['parameters'])['tensor'] = text)),
  inRunJson('sibling', (info, text) => (info['siblings'] = [text])),
  inRunJson('command', (info, text) => (info['command'] = [text, text])),
  inRunJson('versions', (info, text) => (info['versions'] = { [text]: text })),
  inRunJson('failure', (info, text) => Object.assign(info, { status: 'failed', failure: text })),
  inRunJson('data hash', (info, text) => Object.assign(info, { status: 'interrupted', dataHash: text })),
  inRunJson('host of a running process', (info, text) =>
    Object.assign(info, { status: 'running', ended: null, process: { pid: 7, host: text, birth: text } }),
  ),
  {
    what: 'run.json: is text',
    place: (folder) => fs.writeFileSync(path.join(folder, tiny, 'run.json'), hostileText),
  },
  {
    what: 'lock: host',
    place(folder) {
      const holder = { pid: 7, host: hostileText, birth: hostileText, started: hostileText };
      fs.writeFileSync(path.join(folder, tiny, 'lock'), JSON.stringify(holder));
      editJson(path.join(folder, tiny, 'run.json'), (info) => (info['status'] = 'interrupted'));
    },
  },
  {
    what: 'analysis.json: texts',
    place: (folder) => {
      const file = analysisOf(folder);
      const hostile = JSON.stringify(hostileText).slice(1, -1);
      const text = fs.readFileSync(file, 'utf8');
      fs.writeFileSync(
        file,
        text.replaceAll(/("(?:title|label|name|note|text|statement)": ")/g, `$1${hostile}`),
      );
    },
  },
  {
    what: 'analysis.json: notes',
    place: (folder) => editJson(analysisOf(folder), (content) => (content['notes'] = [hostileText])),
  },
  {
    what: 'config.yaml: description',
    place(folder) {
      const file = path.join(folder, tiny, 'config.yaml');
      const text = fs.readFileSync(file, 'utf8');
      fs.writeFileSync(
        file,
        text.replace(/^description: .*$/m, `description: ${JSON.stringify(hostileText)}`),
      );
    },
  },
  {
    what: 'config.yaml: is text',
    place: (folder) => fs.writeFileSync(path.join(folder, tiny, 'config.yaml'), `a: ${hostileText}: b`),
  },
  { what: 'tables: messages and columns', place: hostileTables },
  {
    what: 'tables: words of a dictionary',
    place: (folder) =>
      replaceBytes(path.join(folder, tiny, 'metrics.arrow'), 'qd1consis', '\u001B]0;x\u0007'),
  },
  {
    what: 'tables: name of a column',
    place: (folder) => replaceBytes(path.join(folder, tiny, 'steps.arrow'), 'grad_norm', '\u001B]0;x\u0007'),
  },
  {
    what: 'checkpoint: metadata',
    place(folder) {
      const checkpoints = path.join(folder, tiny, 'checkpoints');
      for (const name of fs.readdirSync(checkpoints)) {
        replaceBytes(path.join(checkpoints, name), 'formatVersion', '\u001B]0;x\u0007');
      }
      editJson(path.join(folder, tiny, 'run.json'), (info) => (info['status'] = 'interrupted'));
    },
  },
  {
    what: 'name of a run folder',
    place: (folder) =>
      fs.renameSync(path.join(folder, tiny), path.join(folder, `runs/set-inclusion/${hostileText}-seed0`)),
  },
  {
    what: 'name of a folder of runs',
    place: (folder) =>
      fs.renameSync(path.join(folder, 'runs/set-inclusion'), path.join(folder, 'runs', hostileText)),
  },
  {
    what: 'names of files',
    place(folder) {
      fs.writeFileSync(path.join(folder, tiny, `${hostileText}.arrow`), 'x');
      fs.writeFileSync(path.join(folder, 'runs', `${hostileText}.arrows`), 'x');
      fs.writeFileSync(path.join(folder, tiny, 'checkpoints', `step-${hostileText}.safetensors`), 'x');
    },
  },
];

/** Commands that meet a folder from somebody else. */
const commands: readonly (readonly string[])[] = [
  ...views.map(({ id }) => ['show', 'runs', '--view', id]),
  ['tui', 'runs'],
  ['analyze', 'runs'],
  ['analyze', 'runs', '--json'],
  ['recover', 'runs', tiny],
  ['probe', 'runs', '--only', 'alignment', '--variables', '2', '--questions', '2', '--draws', '2'],
  ['run', '--resume', tiny],
  trainTiny('0..1', ['--existing', 'resume']),
];

function wordsProblems(ended: Ended): string[] {
  const problems = problemsOfWords(ended);
  const line = (ended.stdout + ended.stderr)
    .split('\n')
    .find((words) => holdsControls(words.replace(/\r$/, '')));
  if (line !== undefined) problems.push(`raw control characters: ${JSON.stringify(line.slice(0, 200))}`);
  return problems;
}

function analysedRuns(work: string, folder: string): void {
  fs.cpSync(path.join(referenceFolder(work, 'analyze'), 'runs'), path.join(folder, 'runs'), {
    recursive: true,
  });
}

/** Hostile text in every place that a command prints. */
export const escapesArea: Area = {
  name: 'escapes',
  title: 'hostile text in files and names: printed harmless',
  count: sources.length * commands.length,
  limit: 120,
  needs: ['analyze'],
  async run({ index, work, folder }: CaseContext): Promise<CaseResult> {
    const source = sources[Math.floor(index / commands.length) % sources.length]!;
    const args = commands[index % commands.length]!;
    analysedRuns(work, folder);
    source.place(folder);
    const ended = await command(args, { cwd: folder, limit: 60 });
    return { what: `${source.what}: ${args.slice(0, 4).join(' ')}`, problems: wordsProblems(ended) };
  },
};

/** Places that a path is made of. */
const pathSources: readonly ((folder: string, name: string) => string)[] = [
  (folder, name) => {
    editJson(path.join(folder, tiny, 'run.json'), (info) => (info['name'] = name));
    return 'run.json: name';
  },
  (folder, name) => {
    editJson(path.join(folder, tiny, 'run.json'), (info) => (info['experiment'] = name));
    return 'run.json: experiment';
  },
  (folder, name) => {
    editJson(path.join(folder, tiny, 'run.json'), (info) =>
      Object.assign(info, {
        status: 'interrupted',
        siblings: [`../../../victim/${name}`, '../../../victim/tiny-seed0'],
      }),
    );
    return 'run.json: siblings';
  },
  (folder, name) => {
    editJson(analysisOf(folder), (content) => Object.assign(content, { name, folders: [name] }));
    return 'analysis.json: name and folders';
  },
];

/** Files that a command may write on its way, as links to a file that is not its own. */
const linkSources: readonly ((folder: string) => string)[] = [
  (folder) => {
    for (const own of ['run.json.tmp', 'steps.arrow.tmp', 'alignment.arrows', 'lock.takeover']) {
      fs.symlinkSync(path.join(folder, 'victim/file'), path.join(folder, tiny, own));
    }
    editJson(path.join(folder, tiny, 'run.json'), (info) => (info['status'] = 'interrupted'));
    return 'links at temporary names';
  },
  (folder) => {
    const analysis = path.dirname(analysisOf(folder));
    for (const own of ['analysis.json.tmp', 'quantities.arrow.tmp']) {
      fs.symlinkSync(path.join(folder, 'victim/file'), path.join(analysis, own));
    }
    return 'links at temporary names of the analysis';
  },
];

/** Hostile names that paths are made of: nothing outside the folder of the runs changes. */
export const pathsArea: Area = {
  name: 'paths',
  title: 'hostile names and links: nothing is written outside',
  count: pathSources.length * hostilePaths.length + linkSources.length + hostilePaths.length,
  limit: 180,
  needs: ['analyze', 'crashed'],
  async run({ index, work, folder, random }: CaseContext): Promise<CaseResult> {
    const byName = pathSources.length * hostilePaths.length;
    const name =
      hostilePaths[(index < byName ? index : index - byName - linkSources.length) % hostilePaths.length] ??
      '';
    const victim = path.join(folder, 'victim/tiny-seed0');
    fs.cpSync(crashedRun(work, 0), victim, { recursive: true });
    fs.writeFileSync(path.join(folder, 'victim/file'), 'untouched');
    analysedRuns(work, folder);
    startingState(work, { name: 'train', after: null, args: [] }, folder);
    const place = pathSources[Math.floor(index / hostilePaths.length)] ?? linkSources[index - byName];
    // No argument of a process holds a null byte; in double quotes its escape is YAML.
    const written = name.includes('\0') ? JSON.stringify(name) : name;
    let what = `--set name=${JSON.stringify(name.slice(0, 40))}`;
    let tried: readonly (readonly string[])[] = [
      [...trainTiny('0'), '--set', `name=${written}`],
      ['sweep', 'sweep.yaml', '--out', 'runs', '--set', `name=${written}`],
    ];
    if (place !== undefined) {
      what = `${place(folder, name)}: ${JSON.stringify(name.slice(0, 40))}`;
      tried = commands.filter((args) => args[0] !== 'show' || random.uniform() < 0.1);
    }
    const before = outside(folder);
    const problems: string[] = [];
    for (const args of tried) {
      const ended = await command(args, { cwd: folder, limit: 60 });
      problems.push(...problemsOfWords(ended).map((problem) => `${args.slice(0, 2).join(' ')}: ${problem}`));
      const changed = changes(before, outside(folder));
      if (changed.length > 0)
        problems.push(`${args.slice(0, 2).join(' ')}: outside: ${changed.slice(0, 3).join(', ')}`);
      if (problems.length > 0) break;
    }
    if (fs.existsSync('/tmp/gradscope-outside')) problems.push('/tmp/gradscope-outside was made');
    return { what, problems };
  },
};

/** Everything of a case's folder that is not below `runs`. */
function outside(folder: string): Map<string, string> {
  const all = snapshot(folder);
  for (const name of all.keys()) {
    if (name.startsWith(`runs${path.sep}`) || name === 'fault-happened') all.delete(name);
  }
  return all;
}
