import { Worker } from 'node:worker_threads';

/**
 * Gives signs of life in the lock at a path while its first line is `holder`; the function that is returned ends them.
 */
export type Heartbeat = (path: string, holder: string) => () => void;

/** Time between two signs of life, ms. */
const beatEvery = 10_000;

/**
 * Program of the thread. A sign of life is a number that is written over: opened, written and closed, since network file
 * systems bring a file to the server when it is closed. The file is looked at through the same descriptor first, so that
 * nobody gives signs of life for another process that took the lock. It is a text, since where the sources themselves are run
 * a thread cannot load them.
 */
const program = `
const fs = require('node:fs');
const { parentPort, workerData } = require('node:worker_threads');
const locks = new Map();
parentPort.on('message', ({ path, holder }) => {
  if (holder === null) locks.delete(path);
  else locks.set(path, { line: Buffer.from(holder + '\\n'), beats: 0 });
});
const beat = (path, lock) => {
  const file = fs.openSync(path, 'r+');
  try {
    const found = Buffer.alloc(lock.line.length);
    fs.readSync(file, found, 0, found.length, 0);
    if (!found.equals(lock.line)) locks.delete(path);
    else fs.writeSync(file, String(++lock.beats).padStart(10, '0'), lock.line.length);
  } finally {
    fs.closeSync(file);
  }
};
setInterval(() => {
  for (const [path, lock] of locks) {
    try {
      beat(path, lock);
    } catch {
      // The next one may come through; whoever has lost the lock is told when it writes.
    }
  }
}, workerData.every);
`;

/**
 * Signs of life from a thread of its own, one for all locks of the process: a step of training, or the building of a graph,
 * may keep the main thread for longer than others wait.
 *
 * @param every ms
 */
export function threadHeartbeat(every = beatEvery): Heartbeat {
  let thread: Worker | null = null;
  const started = (): Worker => {
    // Without the options of this process, which may load modules that are only for its main thread.
    const worker = new Worker(program, { eval: true, workerData: { every }, execArgv: [], env: {} });
    worker.on('error', () => (thread = null));
    // It ends with the process, and keeps no process from its end.
    worker.unref();
    return worker;
  };
  return (path, holder) => {
    thread ??= started();
    const own = thread;
    own.postMessage({ path, holder }, []);
    return () => own.postMessage({ path, holder: null }, []);
  };
}
