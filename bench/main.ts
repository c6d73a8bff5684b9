import { spawnSync } from 'node:child_process';
import os from 'node:os';

/**
 * Benchmarks, each in a process of its own because the engine reads its thread counts once:
 *
 *     npm run bench                 all of them
 *     npm run bench -- step log     some
 */
const benches: Record<string, { readonly file: string; readonly threads: string }[]> = {
  step: [
    { file: 'bench/step-large.ts', threads: `${os.availableParallelism()},${os.availableParallelism()}` },
    { file: 'bench/step-small.ts', threads: `1,${os.availableParallelism()}` },
  ],
  convnet: [{ file: 'bench/step-convnet.ts', threads: `1,${os.availableParallelism()}` }],
  log: [{ file: 'bench/logging.ts', threads: `1,${os.availableParallelism()}` }],
  store: [{ file: 'bench/store.ts', threads: '' }],
  panel: [{ file: 'bench/panel.ts', threads: `${os.availableParallelism()},${os.availableParallelism()}` }],
  probes: [{ file: 'bench/probes.ts', threads: `1,${os.availableParallelism()}` }],
  tui: [{ file: 'bench/tui.ts', threads: '' }],
  memory: [{ file: 'bench/memory.ts', threads: `1,${os.availableParallelism()}` }],
};

const asked = process.argv.slice(2);
const unknown = asked.filter((name) => !(name in benches));
if (unknown.length > 0) {
  console.error(`no benchmark ${unknown.join(', ')}; there are ${Object.keys(benches).join(', ')}`);
  process.exit(1);
}
console.log(
  `${os.cpus()[0]?.model ?? 'unknown processor'}, ${os.availableParallelism()} cores, Node ${process.versions.node}`,
);
for (const name of asked.length > 0 ? asked : Object.keys(benches)) {
  for (const { file, threads } of benches[name]!) {
    const [intra, inter] = threads.split(',');
    const env = threads === '' ? {} : { TF_NUM_INTRAOP_THREADS: intra, TF_NUM_INTEROP_THREADS: inter };
    const { status } = spawnSync(process.execPath, ['--expose-gc', '--import', 'tsx', file], {
      stdio: 'inherit',
      env: { ...process.env, ...env },
    });
    if (status !== 0) process.exit(status ?? 1);
  }
}
