import type { SetupOptions } from './options.js';

/** A way to the native library that was tried and did not work. */
export interface FailedAttempt {
  readonly route: 'wheel' | 'official';
  /** What went wrong: one line without a full stop. */
  readonly reason: string;
  /** What to do about it: an imperative without a full stop. */
  readonly remedy: string;
}

/** What the set-up came to. `line` is for people and is printed by the caller. */
export type SetupOutcome =
  | { readonly kind: 'ready-already'; readonly line: string; readonly libraryVersion: string }
  | {
      readonly kind: 'built-from-wheel';
      readonly line: string;
      readonly libraryVersion: string;
      /** `cache` when nothing had to be downloaded. */
      readonly source: 'wheel' | 'cache';
    }
  | { readonly kind: 'official-download'; readonly line: string; readonly libraryVersion: string }
  | {
      readonly kind: 'none';
      readonly line: string;
      /** True when the user asked for another engine. */
      readonly skipped: boolean;
      readonly attempts: readonly FailedAttempt[];
    };

/** Large float32 products on two cores: 430 GFLOP/s natively, 29 GFLOP/s on WASM with SIMD. */
const WASM_COST = 'about 15 times slower on large matrix products';

export function readyAlready(libraryVersion: string): SetupOutcome {
  const line = `Native TensorFlow ${libraryVersion} is ready.`;
  return { kind: 'ready-already', line, libraryVersion };
}

export function builtFromWheel(
  libraryVersion: string,
  source: 'wheel' | 'cache',
  cached: string,
): SetupOutcome {
  const how = source === 'cache' ? 'linked from' : 'taken from the Python wheel and kept in';
  const line = `Native TensorFlow ${libraryVersion} is ready: ${how} ${cached}.`;
  return { kind: 'built-from-wheel', line, libraryVersion, source };
}

export function officialDownload(libraryVersion: string): SetupOutcome {
  const line = `Native TensorFlow ${libraryVersion} is ready: the official download of tfjs-node-gpu.`;
  return { kind: 'official-download', line, libraryVersion };
}

export function skipped(engine: Exclude<SetupOptions['engine'], 'native'>): SetupOutcome {
  const chosen =
    engine === 'wasm'
      ? `the embedded WASM engine is used, ${WASM_COST}`
      : 'the plain JavaScript engine is used, by far the slowest';
  const line =
    `Native TensorFlow is left alone because the engine "${engine}" was chosen: ${chosen}; ` +
    'to get the native library, drop that choice and run `npx gradscope setup`.';
  return { kind: 'none', line, skipped: true, attempts: [] };
}

/**
 * No native library. `attempts` are the failures, the most useful one to people first; `agoMs` is given when they
 * are earlier ones, repeated from their record.
 */
export function none(
  attempts: readonly [FailedAttempt, ...FailedAttempt[]],
  agoMs: number | undefined,
): SetupOutcome {
  const [{ reason, remedy }] = attempts;
  const when = agoMs === undefined ? '' : `, tried ${ago(agoMs)} ago`;
  const line =
    `No native TensorFlow (${reason}${when}): the embedded WASM engine is used, ${WASM_COST}; ` +
    `to get the native library, ${remedy} and run \`npx gradscope setup\`.`;
  return { kind: 'none', line, skipped: false, attempts };
}

function ago(ms: number): string {
  const minutes = Math.max(1, Math.round(ms / 60_000));
  return minutes < 120 ? `${minutes} min` : `${Math.round(minutes / 60)} h`;
}
