import { Command, InvalidArgumentError, Option } from 'commander';
import { viewNames } from './names.js';
import { print } from './output.js';
import { columnsOf, terminalStyle } from '../report/terminal.js';

interface Flags {
  readonly view: string;
  readonly width?: number;
  readonly height: number;
  readonly panel?: string;
  readonly choose?: string;
  readonly filter?: string;
  readonly sort?: string;
  readonly log?: true;
  readonly linear?: true;
  readonly zoom?: [number, number];
  readonly cursor?: number;
  readonly row?: number;
  readonly column?: number;
  readonly drill?: string;
  readonly ascii?: true;
}

export function showCommand(): Command {
  return new Command('show')
    .description('print one view of the browser as text: what gradscope tui has on screen')
    .argument('<runs...>', 'run folders, or one folder that holds runs')
    .option('--view <view>', viewNames.join(', '), 'runs')
    .option('--panel <title>', 'one panel of the view (default: all)')
    .option('--choose <value>', 'checkpoint, tensor, quantity or step size of the panel')
    .option('--filter <words>', 'rows that hold the words; loss>2 compares a column')
    .option('--sort <column[:up|:down]>', 'column to sort by')
    .addOption(new Option('--log', 'log axis').conflicts('linear'))
    .option('--linear', 'linear axis')
    .option('--zoom <from,to>', 'part of the x axis', range)
    .option('--cursor <x>', 'position on the x axis whose values are printed', finite)
    .option('--row <place>', 'selected row, counted from 0', place)
    .option(
      '--column <place>',
      'of a list: number of columns to scroll past; of a heat map: the selected column, from 1',
      place,
    )
    .option('--drill <id>', 'details of a row, by its id, such as 512:<subset>/17/heldout')
    .option('--width <columns>', 'columns (default: of the terminal, or 100)', size)
    .option('--height <rows>', 'rows of a panel', size, 40)
    .option('--ascii', 'ASCII characters only')
    .addHelpText(
      'after',
      `
Examples:
  gradscope show runs/set-inclusion
  gradscope show runs/set-inclusion/smoke-seed0 --view alignment --width 100
  gradscope show runs/set-inclusion/smoke-seed{0..3} --view training --panel gaps

In gradscope tui, y copies the command for what is on screen.`,
    )
    .action(async (runs: string[], flags: Flags) => {
      const { show } = await import('../../tui/show.js');
      const { log, linear, width, ascii, ...others } = flags;
      const lines = await show({
        ...others,
        folders: runs,
        log: log ?? (linear === true ? false : undefined),
        width: width ?? columnsOf(process.stdout),
        style: terminalStyle(ascii ?? false),
      });
      print(lines.join('\n'));
    });
}

function finite(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !Number.isFinite(value)) throw new InvalidArgumentError('expected a number');
  return value;
}

/** Wider and higher than any screen; what is printed takes memory. */
const largest = 10_000;

function size(text: string): number {
  const value = place(text);
  if (value > largest) throw new InvalidArgumentError(`expected a whole number up to ${largest}`);
  return value;
}

/** A place in a list, which may have millions of rows. */
function place(text: string): number {
  const value = finite(text);
  if (!Number.isSafeInteger(value) || value < 0)
    throw new InvalidArgumentError('expected a whole number from 0');
  return value;
}

function range(text: string): [number, number] {
  const ends = text.split(',').map(finite);
  const [low, high] = ends;
  if (ends.length !== 2 || low === undefined || high === undefined || !(low < high))
    throw new InvalidArgumentError('expected two numbers, the lower first, such as 100,200');
  return [low, high];
}
