import fs from 'node:fs';
import { defineConfig } from 'vitest/config';

/** Tests of what computes with tensors run twice: on the native engine, and on the WASM fallback. */
const engineTests = {
  include: ['test/{train,probe,run}/**/*.test.ts'],
  exclude: ['test/train/engine/setup/**'],
};
/**
 * Those on which the engine has no say, or whose arithmetic has native tests of its own in `test/train`: the fallback has no
 * graphs to build first, which takes most of their time. GRADSCOPE_TEST_ALL=1 runs them on the native engine, too.
 */
const onFallback =
  process.env['GRADSCOPE_TEST_ALL'] === '1'
    ? []
    : [
        'test/run/{resume,checkpoint,memory,own-design,old-run,stop,order,sweep}.test.ts',
        'test/run/interventions/**',
      ];
const engines = ['native', 'wasm'].filter((engine) => engine !== 'native' || hasNative());

function hasNative(): boolean {
  const installed = fs.existsSync('node_modules/@tensorflow/tfjs-node-gpu/lib/napi-v8/tfjs_binding.node');
  if (!installed)
    console.log('skipping the tests on native TensorFlow: it is not set up (npm run setup says why)');
  return installed;
}

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
            'test/{data,config,store,analysis,report,cli,tui,faults}/**/*.test.{ts,tsx}',
            'test/train/engine/setup/**/*.test.ts',
          ],
        },
      },
      ...engines.map((engine) => ({
        extends: true as const,
        test: {
          name: engine,
          ...engineTests,
          exclude: [...engineTests.exclude, ...(engine === 'native' ? onFallback : [])],
          env: { GRADSCOPE_TEST_ENGINE: engine },
        },
      })),
    ],
  },
});
