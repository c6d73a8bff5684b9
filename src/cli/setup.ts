import { Command } from 'commander';
import { print } from './output.js';
import { standardError } from './progress.js';
import { engineRoot } from './version.js';

interface Flags {
  readonly check?: boolean;
  readonly official?: boolean;
  readonly automatic?: boolean;
}

export function setupCommand(): Command {
  return new Command('setup')
    .description('get the native TensorFlow library (from the Python wheel, kept in a cache folder)')
    .option('--check', 'load the library and verify the cache, however long ago that was done')
    .option(
      '--official',
      'use the official download of tfjs-node-gpu instead (TensorFlow 2.9, CUDA 11.2); no hash of it is known',
    )
    .option('--automatic', 'do not try again what failed less than a day ago')
    .addHelpText(
      'after',
      '\nExamples:\n  gradscope setup\n  GRADSCOPE_CACHE=/data/cache gradscope setup --check',
    )
    .action(async (flags: Flags) => {
      const { createProgress, ensureNativeLibrary, nodeSystem, setupOptions } =
        await import('../train/engine/setup/index.js');
      const options = setupOptions({ projectRoot: engineRoot(), ...flags }, process.env);
      const outcome = await ensureNativeLibrary(options, nodeSystem(createProgress(standardError())));
      print(outcome.line);
    });
}
