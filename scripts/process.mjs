// Child processes of the scripts, and errors that need no stack.
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import process from 'node:process';

/** A failure that is told in one line; `result` says how the process that failed ended. */
export class ScriptError extends Error {
  constructor(message, result = { code: 1, signal: null }) {
    super(message);
    this.result = result;
  }
}

/**
 * Runs a program with our own terminal and waits for it. Signals sent to us go to the program, which decides what to
 * do about them. With `stdout: 'pipe'` its standard output is returned instead of shown.
 */
export function run(command, args, { cwd, stdout = 'inherit', shell = false } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd, shell, stdio: ['inherit', stdout, 'inherit'] });
    let text = '';
    if (child.stdout) child.stdout.setEncoding('utf8').on('data', (part) => (text += part));
    const signals = [
      'SIGINT',
      'SIGTERM',
      'SIGHUP',
      ...(process.platform === 'win32' ? [] : ['SIGUSR1', 'SIGUSR2']),
    ];
    // A terminal sends Ctrl-C to the program itself; passing it on would end it twice.
    const pass = (signal) => signal !== 'SIGINT' && child.kill(signal);
    for (const signal of signals) process.on(signal, pass);
    const release = () => signals.forEach((signal) => process.off(signal, pass));
    child.once('error', (error) => {
      release();
      reject(new ScriptError(`${command}: ${error.message}`));
    });
    child.once('close', (code, signal) => {
      release();
      resolve({ code, signal, stdout: text });
    });
  });
}

/** True when the program ended by itself and well. */
export const succeeded = ({ code }) => code === 0;

/** Ends this process as another one ended: with its exit code, or by the same signal. */
export function exitLike({ code, signal }) {
  if (signal) process.kill(process.pid, signal);
  process.exitCode = code ?? 1;
}

/** Runs the main function of a script; a `ScriptError` is printed as one line. */
export async function runScript(main) {
  try {
    await main();
  } catch (error) {
    if (!(error instanceof ScriptError)) throw error;
    if (error.message) process.stderr.write(`${error.message}\n`);
    exitLike(error.result);
  }
}

/** True when `file` is the script that Node was started with, and not a module of one. */
export function isMain(file) {
  return process.argv[1] !== undefined && fs.realpathSync(process.argv[1]) === file;
}
