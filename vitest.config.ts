import fs from 'node:fs';
import os from 'node:os';
import { defineConfig } from 'vitest/config';

/** Tests of what computes with tensors run twice: on the native engine, and on the WASM fallback. */
const engineTests = {
  include: ['test/{train,probe,run}/**/*.test.ts'],
  exclude: ['test/train/engine/setup/**'],
};
const engines = ['native', 'wasm'].filter((engine) => engine !== 'native' || hasNative());
/**
 * Those that run on one engine alone, where there are both: what they test is the same on either, or has tests of its own in
 * `test/train`. GRADSCOPE_TEST_ALL=1 runs them on both.
 */
const onOneEngine: Readonly<Record<string, readonly string[]>> = {
  // Many short runs: the fallback has no graphs to build first, which takes most of their time.
  wasm: [
    'test/run/{resume,checkpoint,memory,own-design,stop,order,sweep}.test.ts',
    'test/run/{analyze,batch-sizes,closed-log,interop,micro-batch,mnist-qa,printed-commands}.test.ts',
    'test/run/{model-folder,pairs-of-texts,pretraining,rebuild,tag-exchange}.test.ts',
    'test/run/{paper-rows,processes,shared-folders,tiny-paths,together}.test.ts',
    'test/run/evaluation/**',
    'test/run/{sweep-tasks,share-work}.test.ts',
    'test/run/interventions/**',
    'test/train/{quadratic-penalty,set-gradients}.test.ts',
    'test/probe/panel/ghost-products.test.ts',
  ],
  // Many products: the native engine is faster at them.
  native: ['test/probe/{jobs,landscape,prober,retrain}.test.ts', 'test/run/old-run.test.ts'],
};

function onOthers(engine: string): readonly string[] {
  if (process.env['GRADSCOPE_TEST_ALL'] === '1') return [];
  return engines.flatMap((other) => (other === engine ? [] : (onOneEngine[other] ?? [])));
}

function hasNative(): boolean {
  const installed = fs.existsSync('node_modules/@tensorflow/tfjs-node-gpu/lib/napi-v8/tfjs_binding.node');
  if (!installed)
    console.log('skipping the tests on native TensorFlow: it is not set up (npm run setup says why)');
  return installed;
}

export default defineConfig({
  test: {
    reporters: ['default', './test/count-reporter.ts'],
    // One of two processors would stand idle by default.
    maxWorkers: Math.max(2, os.availableParallelism() - 1),
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
            'test/{data,config,machine,store,analysis,report,export,cli,tui,faults}/**/*.test.{ts,tsx}',
            'test/train/engine/setup/**/*.test.ts',
          ],
        },
      },
      ...engines.map((engine) => ({
        extends: true as const,
        test: {
          name: engine,
          ...engineTests,
          exclude: [...engineTests.exclude, ...onOthers(engine)],
          env: { GRADSCOPE_TEST_ENGINE: engine },
        },
      })),
    ],
  },
});
