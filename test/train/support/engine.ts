import { loadEngine, type Engine } from '../../../src/train/engine/load.js';
import type { EngineName } from '../../../src/train/engine/names.js';

/** Engine of this test project: `native` or `wasm`. */
export const testEngine = (process.env['GRADSCOPE_TEST_ENGINE'] ?? 'wasm') as EngineName;

/** Loads the project's engine. */
export function useTestEngine(): Promise<Engine> {
  return loadEngine({ engine: testEngine });
}
