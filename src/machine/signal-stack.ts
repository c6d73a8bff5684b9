import { createRequire } from 'node:module';
import process from 'node:process';
import type * as Koffi from 'koffi';

/**
 * Signal handlers on a stack of their own, while native code runs that cannot bear them on its own. The kernels that oneDNN
 * generates for matrix products (up to version 3.11.1, which TensorFlow 2.21 has) use the stack pointer for an address in the
 * heap: a signal that is handled then writes over the memory in front of it, which aborts the process later, or changes numbers
 * without a word (oneDNN issue 4845). Linux on x64 alone has these kernels.
 */

/** What is called of the system's C library. */
interface CLibrary {
  readonly sigaction: (signal: number, wanted: Buffer | null, found: Buffer | null) => number;
  readonly sigaltstack: (wanted: Buffer, found: Buffer | null) => number;
  readonly pthread_sigmask: (how: number, wanted: Buffer, found: Buffer | null) => number;
  /** An address, or all bits set where there is no memory. */
  readonly mmap: (...args: readonly [null, number, number, number, number, number]) => number | bigint;
}

/** Layout of `struct sigaction` in glibc and musl on x64: handler, mask, flags, restorer. */
const action = { size: 152, handler: 0, flags: 136 } as const;

/** SA_ONSTACK: run the handler on the alternate stack. */
const onAlternateStack = 0x08000000;

/** Above SIG_DFL and SIG_IGN, which are 0 and 1, an address. */
const firstAddress = 2n;

const signalCount = 64;

/** Bytes of the stack: a frame has the processor's whole vector state, up to some 12 kB. */
const stackSize = 1 << 18;

/** MAP_FAILED. */
const noMemory = 0xffff_ffff_ffff_ffffn;

/** Time between two looks for handlers that were added, ms. */
const lookEvery = 1000;

/** Loads functions of the C library; null where there is no need of it, or it cannot be had. */
function openLibrary(): CLibrary | null {
  if (process.platform !== 'linux' || process.arch !== 'x64') return null;
  try {
    const koffi = createRequire(import.meta.url)('koffi') as typeof Koffi;
    const library = koffi.load(null);
    return {
      sigaction: library.func('int sigaction(int, const void *, void *)'),
      sigaltstack: library.func('int sigaltstack(const void *, void *)'),
      pthread_sigmask: library.func('int pthread_sigmask(int, const void *, void *)'),
      mmap: library.func('uintptr_t mmap(void *, size_t, int, int, int, intptr_t)'),
    };
  } catch {
    return null;
  }
}

let isGuarded = false;

/**
 * Loads native code by a function, so that no signal that this process handles, now or later, disturbs it: threads that it makes
 * get none, and handlers run on a stack of their own. What the function returns or throws.
 */
export function guardedFromSignals<T>(load: () => T): T {
  if (isGuarded) return load();
  const library = openLibrary();
  if (library === null) return load();
  isGuarded = true;
  setStack(library);
  moveHandlers(library);
  // Handlers are registered by whoever listens, by terminals, and with the first child process.
  setInterval(() => moveHandlers(library), lookEvery).unref();
  process.on('newListener', (name) => {
    if (typeof name === 'string' && name.startsWith('SIG')) setImmediate(() => moveHandlers(library));
  });
  return withoutSignals(library, load);
}

/** Gives the thread a stack for handlers, for as long as it lives. */
function setStack({ mmap, sigaltstack }: CLibrary): void {
  const [readWrite, privateAnonymous] = [3, 0x22];
  const address = BigInt(mmap(null, stackSize, readWrite, privateAnonymous, -1, 0));
  if (address === noMemory) return;
  const stack = Buffer.alloc(24);
  stack.writeBigUInt64LE(address, 0);
  stack.writeBigUInt64LE(BigInt(stackSize), 16);
  sigaltstack(stack, null);
}

/** Lets every handler that is there run on the alternate stack. */
function moveHandlers({ sigaction }: CLibrary): void {
  const found = Buffer.alloc(action.size);
  for (let signal = 1; signal <= signalCount; signal++) {
    if (sigaction(signal, null, found) !== 0) continue;
    const flags = found.readInt32LE(action.flags);
    if (found.readBigUInt64LE(action.handler) < firstAddress || (flags & onAlternateStack) !== 0) continue;
    found.writeInt32LE(flags | onAlternateStack, action.flags);
    sigaction(signal, found, null);
  }
}

/** Threads begin with the mask of the one that makes them; what comes meanwhile is delivered afterwards. */
function withoutSignals<T>({ pthread_sigmask }: CLibrary, call: () => T): T {
  const [block, restore] = [0, 2];
  const before = Buffer.alloc(128);
  pthread_sigmask(block, Buffer.alloc(128, 0xff), before);
  try {
    return call();
  } finally {
    pthread_sigmask(restore, before, null);
  }
}
