import { spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import process from 'node:process';
import { expect, test } from 'vitest';

const isConcerned =
  process.platform === 'linux' &&
  process.arch === 'x64' &&
  fs.existsSync('node_modules/@tensorflow/tfjs-node-gpu/lib/napi-v8/tfjs_binding.node');

// Without the stack the process aborts (`corrupted size vs. prev_size`), or products come out wrong, within some hundred signals.
test.skipIf(!isConcerned)(
  'signals change no product and no memory, however many come',
  { timeout: 60_000 },
  async () => {
    const child = spawn(process.execPath, ['--import', 'tsx', 'test/machine/signals-while-multiplying.ts'], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let said = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (said += text));
    const ended = once(child, 'close');
    while (!said.includes('ready') && child.exitCode === null) await once(child.stdout, 'data');
    const sender = spawn('sh', ['-c', `while kill -WINCH ${child.pid}; do sleep 0.001; done`], {
      stdio: 'ignore',
    });
    const [code, signal] = (await ended) as [number | null, string | null];
    sender.kill('SIGKILL');
    expect({ code, signal }).toEqual({ code: 0, signal: null });
    const { products, wrong, hasStack } = JSON.parse(said.split('\n')[1]!) as Record<string, unknown>;
    expect(products).toBeGreaterThan(10);
    expect({ wrong, hasStack }).toEqual({ wrong: 0, hasStack: true });
  },
);
