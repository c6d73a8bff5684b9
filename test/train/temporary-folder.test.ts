import os from 'node:os';
import { afterEach, beforeAll, expect, test } from 'vitest';
import * as tf from '@tensorflow/tfjs-core';
import { compile, requireTemporaryFolder } from '../../src/train/engine/compiled.js';
import { nativeBackend } from '../../src/train/engine/tensorflow-binding.js';
import { useTestEngine } from './support/engine.js';

const usual = process.env['TMPDIR'];
beforeAll(async () => void (await useTestEngine()));
afterEach(() => {
  if (usual === undefined) delete process.env['TMPDIR'];
  else process.env['TMPDIR'] = usual;
});

test('a temporary folder that is missing is one line that names it, before and while graphs are built', () => {
  expect(requireTemporaryFolder).not.toThrow();
  process.env['TMPDIR'] = '/nonexistent';
  expect(os.tmpdir()).toBe('/nonexistent');
  const one = tf.ones([1]);
  const twice = compile('twice', ([input]) => [tf.mul(input!, 2)]);
  const run = (): void => void twice([one]).map((own) => own.dispose());
  // Only TensorFlow takes its graphs from files.
  if (nativeBackend() === null) {
    expect(requireTemporaryFolder).not.toThrow();
    expect(run).not.toThrow();
  } else {
    const line = /^\/nonexistent: TensorFlow's graphs cannot be written there \(ENOENT[^\n]+TMPDIR$/;
    expect(requireTemporaryFolder).toThrow(line);
    expect(run).toThrow(line);
  }
  one.dispose();
  twice.dispose();
});
