import { spawnSync } from 'node:child_process';
import process from 'node:process';

/** How a Python script ended. */
export interface PythonEnded {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A Python with numpy and pyarrow: `GRADSCOPE_PYTHON`, or `python3`; null, with a word, where there is none. */
export function pythonWithArrow(): string | null {
  const python = process.env['GRADSCOPE_PYTHON'] ?? 'python3';
  const { status, error } = spawnSync(python, ['-c', 'import numpy, pyarrow'], { encoding: 'utf8' });
  if (error === undefined && status === 0) return python;
  console.log(
    `skipped: ${python} ${error === undefined ? 'has no numpy and pyarrow' : 'cannot be started'}; set GRADSCOPE_PYTHON`,
  );
  return null;
}

/** Runs a Python script. */
export function runPython(python: string, args: readonly string[]): PythonEnded {
  const { status, stdout, stderr } = spawnSync(python, args, { encoding: 'utf8', timeout: 60_000 });
  return { code: status, stdout, stderr };
}
