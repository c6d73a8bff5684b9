import os from 'node:os';
import { Command, type CommanderError } from 'commander';
import { UserError } from '../../data/errors.js';
import { missingTemporaryFolders } from '../machine/temporary-folder.js';
import { asUserError } from '../store/system-error.js';
import { analyzeCommand } from './analyze.js';
import { configCommand } from './config.js';
import { dataCommand } from './data.js';
import { doctorCommand } from './doctor.js';
import { exitCodeOf, exitCodes } from './exit-codes.js';
import { exportCommand } from './export.js';
import { guardOutput, tell } from './output.js';
import { probeCommand } from './probe.js';
import { recoverCommand } from './recover.js';
import { retrainCommand } from './retrain.js';
import { runCommand } from './run.js';
import { setupCommand } from './setup.js';
import { showCommand } from './show.js';
import { sweepCommand } from './sweep.js';
import { tuiCommand } from './tui.js';
import { verifyCommand } from './verify.js';
import { version } from './version.js';

/** Help that was asked for is no mistake. */
const endAs = ({ exitCode }: CommanderError): never => process.exit(exitCode === 0 ? 0 : exitCodes.usage);

const program = new Command('gradscope')
  .description(
    'Gradient analysis of internalization experiments: runs them, logs every gradient, tests the mechanism.',
  )
  .version(version())
  .exitOverride(endAs)
  .showHelpAfterError('(gradscope --help shows the commands)')
  .addHelpText(
    'after',
    `
Examples:
  gradscope doctor                                        engine, versions, numerics self-test
  gradscope run configs/set-inclusion.yaml --seeds 0..7   eight seeds together
  gradscope sweep configs/sweeps/mnist-pairs.yaml         one experiment over several values of a key
  gradscope probe runs/set-inclusion                      gradients of single examples at its checkpoints
  gradscope retrain runs/set-inclusion                    the real effect of single definitions, by training again
  gradscope analyze runs/set-inclusion                    what they show, with nulls and intervals
  gradscope export --model runs/set-inclusion/small-seed0 --out model   its parameters as a Hugging Face folder
  gradscope tui                                           browse all of it, also while runs are going`,
  );

for (const command of [
  setupCommand,
  doctorCommand,
  configCommand,
  dataCommand,
  runCommand,
  sweepCommand,
  probeCommand,
  retrainCommand,
  analyzeCommand,
  verifyCommand,
  recoverCommand,
  exportCommand,
  tuiCommand,
  showCommand,
])
  program.addCommand(command().exitOverride(endAs));

/** Reads the command line and does what it says; the exit code of the process says how it went. */
export async function runProgram(): Promise<void> {
  guardOutput();
  replaceMissingFolders();
  try {
    await program.parseAsync();
  } catch (thrown) {
    const error = asUserError(thrown);
    if (!(error instanceof UserError)) throw error;
    tell(`gradscope: ${error.message}`);
    process.exitCode = exitCodeOf(error);
  }
}

/** Lets temporary files go to the usual folder where the one that is named is not there. */
function replaceMissingFolders(): void {
  const missing = missingTemporaryFolders(process.env);
  // TensorFlow and processes that are begun read them too.
  for (const { name } of missing) Reflect.deleteProperty(process.env, name);
  const [first] = missing;
  if (first !== undefined)
    tell(`gradscope: ${first.name}: ${first.folder} is not there; temporary files go to ${os.tmpdir()}`);
}
