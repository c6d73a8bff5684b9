import { defineConfig } from 'vitest/config';

/** Tests of what computes with tensors run twice: on the native engine, and on the WASM fallback. */
const engineTests = {
  include: ['test/{train,probe,run}/**/*.test.ts'],
  exclude: ['test/train/engine/setup/**'],
};

export default defineConfig({
  test: {
    reporters: ['default', './test/count-reporter.ts'],
    testTimeout: 120_000,
    hookTimeout: 120_000,
    env: { CI: 'false', TF_CPP_MIN_LOG_LEVEL: '2' },
    projects: [
      {
        extends: true,
        test: {
          name: 'plain',
          include: [
            'test/*.test.ts',
            'test/{data,config,store,analysis,report,cli,tui}/**/*.test.{ts,tsx}',
            'test/train/engine/setup/**/*.test.ts',
          ],
        },
      },
      { extends: true, test: { name: 'native', ...engineTests, env: { GRADSCOPE_TEST_ENGINE: 'native' } } },
      { extends: true, test: { name: 'wasm', ...engineTests, env: { GRADSCOPE_TEST_ENGINE: 'wasm' } } },
    ],
  },
});
