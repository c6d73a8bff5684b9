import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import {
  ensureNativeLibrary,
  nativeLibraryStatus,
  nodeSystem,
  setupOptions,
  silentProgress,
} from '../../../../src/train/engine/setup/index.js';

const projectRoot = fileURLToPath(new URL('../../../../', import.meta.url));
const system = nodeSystem(silentProgress);
const options = setupOptions({ projectRoot, engine: 'native', check: true }, process.env);
const status = await nativeLibraryStatus(options, system);
if (!status.installed) console.log(`skipped: native TensorFlow on this machine: ${status.reason}`);

test.skipIf(!status.installed)('the native library of this machine loads and multiplies', async () => {
  const outcome = await ensureNativeLibrary(options, system);
  expect(outcome.kind).toBe('ready-already');
  const version = status.installed ? status.libraryVersion : '';
  expect(outcome.line).toBe(`Native TensorFlow ${version} is ready.`);
});

test('a process that crashes is told from one that works', async () => {
  const run = (script: string, timeoutMs = 10_000) =>
    system.run(system.node.executable, ['-e', script], { timeoutMs });
  expect(await run('console.log(1); console.error(2)')).toMatchObject({
    code: 0,
    stdout: '1\n',
    stderr: '2\n',
  });
  expect(await run('process.abort()')).toMatchObject({ code: null, aborted: false });
  expect(await run('setTimeout(() => {}, 60_000)', 200)).toMatchObject({ code: null, aborted: true });
  expect(await system.run('no-such-program-here', [], { timeoutMs: 1000 })).toMatchObject({ notFound: true });
});
