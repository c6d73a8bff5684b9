import { defineConfig } from 'vitest/config';

/** Tests of what computes with tensors run twice: on the native engine, and on the WASM fallback. */
const engineTests = ['test/train/**/*.test.ts', 'test/probe/**/*.test.ts'];
const engineFreeTests = ['test/train/engine/setup/**', 'test/train/optimizers/schedule.test.ts'];

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
          include: ['test/**/*.test.{ts,tsx}'],
          exclude: engineTests.filter((pattern) => !engineFreeTests.includes(pattern)),
        },
      },
      {
        extends: true,
        test: {
          name: 'native',
          include: engineTests,
          exclude: engineFreeTests,
          env: { GRADSCOPE_TEST_ENGINE: 'native' },
        },
      },
      {
        extends: true,
        test: {
          name: 'wasm',
          include: engineTests,
          exclude: engineFreeTests,
          env: { GRADSCOPE_TEST_ENGINE: 'wasm' },
        },
      },
    ],
  },
});
