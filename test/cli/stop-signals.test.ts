import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { expect, test } from 'vitest';
import { listenForStop } from '../../src/cli/stop-signals.js';

test.each([
  ['SIGINT', 130],
  ['SIGTERM', 130],
  ['SIGHUP', 130],
  ['SIGUSR1', 75],
  ['SIGUSR2', 75],
] as const)('%s stops at the next step, however often it comes', (name, exitCode) => {
  const messages: string[] = [];
  const stop = listenForStop({ message: (text) => messages.push(text) });
  try {
    expect(stop.signal.aborted).toBe(false);
    // In one go, as when a parent passes on what the terminal sent to all.
    for (const own of [name, name, 'SIGTERM', 'SIGHUP', 'SIGUSR1'] as const) process.emit(own, own);
    expect(stop.signal.aborted).toBe(true);
    expect(stop.exitCode).toBe(exitCode);
    expect(messages).toEqual([
      exitCode === 75
        ? `${name}: stopping at the next step, with a checkpoint`
        : 'stopping at the next step, with a checkpoint (Ctrl-C again to stop at once)',
    ]);
  } finally {
    stop.release();
  }
});

/** A process that answers signals as the command line does from its first line on, and says when it does. */
function answering(): ChildProcess {
  const module = new URL('../../src/cli/stop-signals.ts', import.meta.url).href;
  const program = `import { answerSignals } from '${module}'; answerSignals(); console.log('ready'); setInterval(() => {}, 1000);`;
  return spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', program], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

test.skipIf(process.platform === 'win32').each([
  ['SIGTERM', 130],
  ['SIGUSR1', 75],
  ['SIGUSR2', 75],
] as const)(
  '%s ends a process that has nothing to bring to an end, and opens no debugger',
  async (name, code) => {
    const child = answering();
    let said = '';
    child.stderr!.setEncoding('utf8').on('data', (text: string) => (said += text));
    await once(child.stdout!, 'data');
    child.kill(name);
    expect(await once(child, 'close')).toEqual([code, null]);
    expect(said).toBe('');
  },
);

test.skipIf(process.platform === 'win32')('none of them kills a process that is about to end', async () => {
  const module = new URL('../../src/cli/stop-signals.ts', import.meta.url).href;
  const program = `
    import { answerSignals } from '${module}';
    answerSignals();
    // What stands for the work ends, and Node by itself.
    process.stdin.once('data', () => process.stdin.destroy());
    console.log('ready');`;
  for (let round = 0; round < 8; round++) {
    const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', program], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    await once(child.stdout, 'data');
    const killer = spawn('sh', ['-c', `sleep 0.01; while kill -USR1 ${child.pid}; do :; done`], {
      stdio: 'ignore',
    });
    const ended = once(child, 'exit');
    child.stdin.write('end');
    const [code, signal] = await ended;
    killer.kill('SIGKILL');
    expect(signal).toBe(null);
    // 75 where one was heard before the end.
    expect([0, 75]).toContain(code);
  }
});
