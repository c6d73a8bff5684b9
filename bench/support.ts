import { spawn, spawnSync, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { createInterface, type Interface } from 'node:readline';

/** Median of numbers. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[sorted.length >> 1] ?? NaN;
}

/**
 * What sides measure in each round, in which they take turns: what else the machine does meets all of them.
 *
 * @param warmUp whether a first round, which fills caches, is not counted
 */
export async function takeTurns<Side extends string, Found>(
  rounds: number,
  sides: Readonly<Record<Side, () => Found | Promise<Found>>>,
  warmUp = true,
): Promise<Record<Side, Found[]>> {
  const names = Object.keys(sides) as Side[];
  const found = Object.fromEntries(names.map((name): [string, Found[]] => [name, []])) as Record<
    Side,
    Found[]
  >;
  for (let round = warmUp ? -1 : 0; round < rounds; round++) {
    for (const name of names) {
      const own = await sides[name]();
      if (round >= 0) found[name].push(own);
    }
  }
  return found;
}

/** Prints a table with aligned columns. */
export function printTable(
  title: string,
  header: readonly string[],
  rows: readonly (readonly string[])[],
): void {
  const widths = header.map((name, column) =>
    Math.max(name.length, ...rows.map((row) => row[column]!.length)),
  );
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[column]!) : cell.padStart(widths[column]!)))
      .join('  ');
  console.log(`\n${title}`);
  console.log(line(header));
  for (const row of rows) console.log(line(row));
}

/** A Python with PyTorch: GRADSCOPE_PYTHON, python3, or python; null where none has it. */
export function pythonWithTorch(): string | null {
  const candidates = [process.env['GRADSCOPE_PYTHON'], 'python3', 'python'].filter(
    (name) => name !== undefined,
  );
  return (
    candidates.find(
      (python) => spawnSync(python, ['-c', 'import torch'], { stdio: 'ignore' }).status === 0,
    ) ?? null
  );
}

/** What the peer answers. */
export interface PeerAnswer {
  readonly parameters?: number;
  readonly threads?: number;
  readonly ms?: number[];
}

/** The PyTorch peer, a process that trains when asked. */
export class TorchPeer {
  private readonly child: ChildProcessWithoutNullStreams;
  private readonly lines: Interface;

  constructor(python: string, threads: number) {
    this.child = spawn(python, ['bench/torch_peer.py'], {
      env: { ...process.env, OMP_NUM_THREADS: String(threads), KMP_BLOCKTIME: '0' },
    });
    this.child.stderr.pipe(process.stderr);
    this.lines = createInterface({ input: this.child.stdout });
  }

  ask(request: object): Promise<PeerAnswer> {
    return new Promise((resolve, reject) => {
      this.child.once('exit', () => reject(new Error('the PyTorch peer died')));
      this.lines.once('line', (line) => {
        this.child.removeAllListeners('exit');
        resolve(JSON.parse(line) as PeerAnswer);
      });
      this.child.stdin.write(`${JSON.stringify(request)}\n`);
    });
  }

  close(): void {
    this.child.stdin.end();
  }
}
