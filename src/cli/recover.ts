import { Command } from 'commander';
import { recoverRun } from '../store/recover.js';
import { print, tell } from './output.js';

export function recoverCommand(): Command {
  return new Command('recover')
    .description(
      'turn the streams of a crashed run into Arrow files (a run to be resumed must not be recovered)',
    )
    .argument('<run...>', 'run folders')
    .addHelpText('after', '\nExample:\n  gradscope recover runs/set-inclusion/small-seed3')
    .action(async (folders: string[]) => {
      for (const folder of folders) {
        const recovered = await recoverRun(folder);
        if (recovered.length === 0) print(`${folder}: nothing to recover`);
        for (const { table, rows, bytesDropped, backup, error } of recovered) {
          if (error !== null) {
            tell(`${folder}: ${table}: ${error.message}`);
            process.exitCode = 1;
          } else {
            const lost =
              bytesDropped === 0 ? 'nothing lost' : `${bytesDropped} bytes of an unfinished batch dropped`;
            print(
              `${folder}: ${table}: ${rows} rows, ${lost}${backup === null ? '' : `, stream kept in ${backup}`}`,
            );
          }
        }
      }
    });
}
