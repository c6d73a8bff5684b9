import { Command } from 'commander';
import { print, tell } from './output.js';
import { columnsOf, isTerminal, terminalStyle } from '../report/terminal.js';

interface Flags {
  readonly ascii?: true;
  readonly screenReader?: true;
}

export function tuiCommand(): Command {
  return new Command('tui')
    .description('browse runs and analyses in the terminal, also while runs are going')
    .argument('[folder]', 'folder that holds runs, or a run', 'runs')
    .option('--ascii', 'ASCII characters only')
    .option('--screen-reader', 'charts as sentences (also INK_SCREEN_READER=true)')
    .addHelpText(
      'after',
      `
Examples:
  gradscope tui
  gradscope tui runs/set-inclusion

? shows the keys. Loads no TensorFlow. Where the output is no terminal, prints a summary (see gradscope show).`,
    )
    .action(async (folder: string, flags: Flags) => {
      // Read by React and by the colours of Ink when they are loaded.
      process.env['NODE_ENV'] ??= 'production';
      if ((process.env['NO_COLOR'] ?? '') !== '') process.env['FORCE_COLOR'] = '0';
      const style = terminalStyle(flags.ascii ?? false);
      if (!isTerminal(process.stdin) || !isTerminal(process.stdout)) {
        if (isTerminal(process.stdout))
          tell(
            'gradscope: standard input is no terminal, so that no key could be read; this is the list of runs',
          );
        const { show } = await import('../../tui/show.js');
        const lines = await show({
          folders: [folder],
          view: 'runs',
          panel: 'runs',
          width: columnsOf(process.stdout),
          height: 60,
          style,
        });
        print(lines.join('\n'));
        return;
      }
      const { browse } = await import('../../tui/ink/browse.js');
      await browse({
        folder,
        style: { ...style, screenReader: style.screenReader || flags.screenReader === true },
      });
    });
}
