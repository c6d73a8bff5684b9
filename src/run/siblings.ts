import fs from 'node:fs';
import path from 'node:path';
import { readRunInfo } from '../store/run-folder.js';
import { exchangedSuffix, runInfoPath, type RunInfo } from '../store/run-info.js';
import { runId } from './request.js';

/** A run folder with what its run.json says. */
export interface SiblingRun {
  readonly folder: string;
  readonly info: RunInfo;
}

/** The runs that started together with one, as far as they lie beside it. */
export interface Siblings {
  /** The run itself among them, in the order in which they trained. */
  readonly members: readonly SiblingRun[];
  /** Names in run.json that none of the members accounts for. */
  readonly missing: readonly string[];
  /** Whether the run is a copy beside the run it was copied from: the siblings are that one's. */
  readonly isCopy: boolean;
}

/**
 * Finds the siblings of a run: folders beside it (beside what it links to) that say the same group and another name or
 * seed.
 * The names in run.json only tell the order and what is missing: folders may have been renamed, copied or moved.
 */
export function siblingsOf(folder: string): Siblings {
  const own = { folder, info: readRunInfo(folder) };
  const place = fs.realpathSync(folder);
  const beside = neighbours(place).filter(({ info }) => startedWith(own.info, info));
  const name = path.basename(place);
  const isSame = beside.some(({ info }) => runOf(info) === runOf(own.info));
  if (isSame && !own.info.siblings.includes(name)) return { members: [own], missing: [], isCopy: true };
  const runs = new Map<string, SiblingRun>([[runOf(own.info), own]]);
  for (const other of beside) {
    const id = runOf(other.info);
    const known = runs.get(id);
    // Of a run and its copies, the one of the name that it began with is the run.
    const isNamed = own.info.siblings.includes(path.basename(other.folder));
    if (known === undefined || (known !== own && isNamed)) runs.set(id, other);
  }
  const order = ({ info }: SiblingRun): number => own.info.siblings.indexOf(runOf(info));
  const members = [...runs.values()].sort((a, b) => order(a) - order(b) || a.info.seed - b.info.seed);
  const missing = members.length >= own.info.siblings.length ? [] : notAmong(own.info.siblings, members);
  return { members, missing, isCopy: false };
}

/** Name of the folder that a run began in. */
function runOf({ name, seed, exchangeOf }: RunInfo): string {
  return `${runId(name, seed)}${exchangeOf === undefined ? '' : exchangedSuffix}`;
}

/** Other folders beside one that hold runs which can be read. */
export function neighbours(place: string): SiblingRun[] {
  const parent = path.dirname(place);
  return fs.readdirSync(parent).flatMap((name): SiblingRun[] => {
    const folder = path.join(parent, name);
    if (folder === place || !fs.existsSync(runInfoPath(folder)) || fs.realpathSync(folder) === place)
      return [];
    try {
      return [{ folder, info: readRunInfo(folder) }];
    } catch {
      // A damaged run beside this one is nothing that this one can help, or needs.
      return [];
    }
  });
}

function startedWith(own: RunInfo, other: RunInfo): boolean {
  if (own.group !== undefined || other.group !== undefined) return own.group === other.group;
  // Without a group: runs of one config and data format that name the same runs.
  return (
    own.experiment === other.experiment &&
    own.name === other.name &&
    own.siblings.length === other.siblings.length &&
    own.siblings.every((name, i) => name === other.siblings[i])
  );
}

function notAmong(names: readonly string[], members: readonly SiblingRun[]): string[] {
  const there = new Set(members.map(({ folder }) => path.basename(fs.realpathSync(folder))));
  return names.filter((name) => !there.has(name));
}
