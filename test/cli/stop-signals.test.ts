import { expect, test } from 'vitest';
import { listenForStop } from '../../src/cli/stop-signals.js';

test.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)(
  '%s stops at the next step, however often it comes',
  (name) => {
    const messages: string[] = [];
    const stop = listenForStop({ message: (text) => messages.push(text) });
    try {
      expect(stop.signal.aborted).toBe(false);
      // In one go, as when a parent passes on what the terminal sent to all.
      for (const own of [name, name, 'SIGTERM', 'SIGHUP'] as const) process.emit(own, own);
      expect(stop.signal.aborted).toBe(true);
      expect(messages).toEqual([
        'stopping at the next step, with a checkpoint (Ctrl-C again to stop at once)',
      ]);
    } finally {
      stop.release();
    }
    expect(process.listenerCount('SIGHUP')).toBe(0);
  },
);
