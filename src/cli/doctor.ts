import { Command } from 'commander';
import type { Threads } from '../train/engine/load.js';
import type { EngineName } from '../train/engine/names.js';
import { engineOption, threadsOption } from './options.js';
import { print } from './output.js';
import { engineRoot, versions } from './version.js';

interface Flags {
  readonly engine: EngineName | 'auto';
  readonly threads?: Threads;
}

export function doctorCommand(): Command {
  return new Command('doctor')
    .description('print engine, versions, speed, and a self-test of the engine; exit code 1 if a check fails')
    .addOption(engineOption())
    .addOption(threadsOption())
    .addHelpText('after', '\nExamples:\n  gradscope doctor\n  gradscope doctor --engine wasm')
    .action(async (flags: Flags) => {
      process.exitCode = await examine(flags);
    });
}

async function examine({ engine: wanted, threads }: Flags): Promise<number> {
  const { nativeLibraryStatus, nodeSystem, setupOptions, silentProgress } =
    await import('../train/engine/setup/index.js');
  const { loadEngine } = await import('../train/engine/load.js');
  const engine = await loadEngine({ engine: wanted, ...(threads === undefined ? {} : { threads }) });
  const line = (name: string, value: string): void => print(`${name.padEnd(16)}${value}`);
  const { gradscope, commit, node } = versions();
  line('gradscope', `${gradscope} (${commit})`);
  line('node', `${node} on ${process.platform} ${process.arch}`);
  line('engine', `${engine.name}: ${engine.version}`);
  const library = await nativeLibraryStatus(
    setupOptions({ projectRoot: engineRoot() }, process.env),
    nodeSystem(silentProgress),
  );
  line(
    'native library',
    library.installed ? `${library.libraryFolder} (${library.obtained})` : library.reason,
  );
  line('device', engine.device);
  const count = (threads: number): string => (threads === 0 ? 'all' : String(threads));
  line(
    'threads',
    `${count(engine.threads.intraOp)} inside an op, ${count(engine.threads.interOp)} between ops`,
  );
  const { matMulRate, selfTest } = await import('../probe/self-test.js');
  line('matmul', `${matMulRate(engine.name === 'native' ? 9 : 3).toFixed(0)} GFLOP/s (1024 x 1024, float32)`);
  const checks = selfTest();
  for (const { name, passed, detail } of checks) line(passed ? 'ok' : 'FAILED', `${name}: ${detail}`);
  if (engine.notice !== null) print(engine.notice);
  return checks.every(({ passed }) => passed) ? 0 : 1;
}
