import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { programCommand, shellCommand } from '../../data/shell-word.js';
import { drawList } from '../view/draw-list.js';
import { integerColumn, textColumn, type List } from '../view/list.js';
import type { RunInfo } from '../../src/store/run-info.js';
import type { RunSource } from '../data/run-source.js';
import type { ViewContext, ViewSpec } from '../view/context.js';
import { messagePanel, type ViewPanel, type ViewModel } from '../view/picture.js';
import { formatAge } from './runs.js';

/** What a run is and where it comes from. */
export const configView: ViewSpec = {
  id: 'config',
  short: 'conf',
  question: 'When, where and by which program was the run made, and are its tables whole?',
  load,
};

async function load(context: ViewContext): Promise<ViewModel> {
  const { current } = context;
  if (current === null) return { panels: [messagePanel('config', '', ['There is no run to look at.'])] };
  const file = path.join(current.entry.path, 'config.yaml');
  const text = await readFile(file, 'utf8').catch(() => `${file} cannot be read`);
  const states = await current.tables.states();
  return {
    panels: [
      linesPanel(
        'config.yaml',
        'What exactly was run? The resolved config, replayable as it is.',
        text.trimEnd().split('\n'),
      ),
      linesPanel(
        'provenance',
        'When, where and by which program was this run made, and which command repeats it?',
        provenance(current, context.now()),
      ),
      filesPanel(states),
    ],
  };
}

function linesPanel(title: string, question: string, lines: readonly string[]): ViewPanel {
  const list: List = {
    length: lines.length,
    id: () => null,
    columns: [textColumn(title, (row) => lines[row]!, 1000)],
  };
  return {
    title,
    question,
    choices: null,
    drills: null,
    draw: (state, box, style) => drawList({ list, state: { ...state, sort: null }, box, style }),
  };
}

/** Facts of `run.json`, one per line. */
export function provenance({ entry, info }: RunSource, now: number): string[] {
  const line = (name: string, value: string): string => `${name.padEnd(18)}${value}`;
  const ended =
    info.ended === null ? 'not yet' : `${info.ended} (${formatAge(now - Date.parse(info.ended))} ago)`;
  const wall = (Date.parse(info.ended ?? info.updated) - Date.parse(info.started)) / 1000;
  return [
    line('run', entry.path),
    line('experiment', `${info.experiment}, ${info.name}, seed ${info.seed}`),
    line('status', `${entry.status}, ${info.stepsDone} of ${info.stepsTotal} steps`),
    ...(info.failure === null ? [] : [line('failure', info.failure)]),
    line('started', info.started),
    line('ended', ended),
    line('wall time', `${wall.toFixed(0)} s for ${info.siblings.length} seeds in one process`),
    line('engine', info.engine),
    ...Object.entries(info.versions).map(([name, version]) => line(name, version)),
    line('data hash', info.dataHash),
    line(
      'parameters',
      `${info.parameters.reduce((sum, { length }) => sum + length, 0)} in ${info.parameters.length} tensors`,
    ),
    ...info.stages.map((stage) =>
      line(
        `stage ${stage.name}`,
        `${stage.steps} steps from ${stage.firstStep}${endOf(stage)}, batch ${stage.batchSize} of ${stage.examples} (${stage.sampler}), ${stage.optimizer}, learning rate ${stage.learningRate}`,
      ),
    ),
    line('groups', info.groups.join(', ')),
    line('process', `${info.process.pid} on ${info.process.host}`),
    line('command', shellCommand(info.command)),
    line('again', programCommand('run', path.join(entry.path, 'config.yaml'), '--seed', String(info.seed))),
  ];
}

function filesPanel(states: Awaited<ReturnType<RunSource['tables']['states']>>): ViewPanel {
  const own = (row: number) => states[row]!;
  const list: List = {
    length: states.length,
    id: () => null,
    columns: [
      textColumn('table', (row) => own(row).name, 20),
      textColumn('format', (row) => own(row).format, 12),
      integerColumn('rows', (row) => own(row).rows),
      textColumn('state', (row) => stateText(own(row)), 200),
    ],
  };
  return {
    title: 'tables',
    question: 'Which tables are there, and are they whole?',
    choices: null,
    drills: null,
    draw: (state, box, style) => drawList({ list, state, box, style, empty: 'no table' }),
  };
}

/** Whether a table is whole, for people. */
export function stateText({
  format,
  truncated,
  problem,
}: Pick<
  Awaited<ReturnType<RunSource['tables']['states']>>[number],
  'format' | 'truncated' | 'problem'
>): string {
  if (problem !== null) return problem;
  if (truncated !== null) return `partial: whole up to byte ${truncated.atByte} (${truncated.reason})`;
  return format === 'file' ? 'complete' : 'a stream, whole so far';
}

/** ` (of at most 40; ended by distance)` of a stage with a stop. */
function endOf({ plannedSteps, end }: RunInfo['stages'][number]): string {
  if (plannedSteps === undefined) return '';
  const how =
    end === undefined
      ? 'not ended'
      : end.reason === 'epochs'
        ? 'stop never reached'
        : `ended by ${end.reason}`;
  return ` (of at most ${plannedSteps}; ${how})`;
}
