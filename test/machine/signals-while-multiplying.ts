// A process that multiplies matrices and handles SIGWINCH, for signal-stack.test.ts: prints `ready`, then how many products it
// made, how many of them had other numbers than at first, and whether the handler has a stack of its own.
import process from 'node:process';
import * as tf from '@tensorflow/tfjs-core';
import koffi from 'koffi';
import { loadEngine } from '../../src/train/engine/load.js';

await loadEngine({ engine: 'native', threads: { intraOp: 1, interOp: 1 } });
process.on('SIGWINCH', () => {});

const sizes = [
  [2220, 64, 256],
  [2220, 256, 64],
  [37, 64, 37],
  [240, 16, 37],
] as const;
const cases = sizes.flatMap(([rows, inner, columns]) =>
  [
    [false, false],
    [true, false],
    [false, true],
  ].map(([first, second]) => {
    const a = tf.randomNormal(first ? [inner, rows] : [rows, inner], 0, 1, 'float32', 1);
    const b = tf.randomNormal(second ? [columns, inner] : [inner, columns], 0, 1, 'float32', 2);
    const product = (): Float32Array => {
      const result = tf.matMul(a, b, first, second);
      const values = result.dataSync<'float32'>();
      result.dispose();
      return values;
    };
    return { product, expected: product() };
  }),
);

await new Promise((resolve) => setTimeout(resolve, 50));
const action = Buffer.alloc(152);
const sigaction = koffi.load(null).func('int sigaction(int, const void *, void *)');
sigaction(28, null, action);
const hasStack = (action.readInt32LE(136) & 0x08000000) !== 0;

console.log('ready');
let [products, wrong] = [0, 0];
for (const end = Date.now() + 4000; Date.now() < end;) {
  for (const { product, expected } of cases) {
    const values = product();
    products++;
    if (values.some((value, i) => value !== expected[i])) wrong++;
  }
  await new Promise((resolve) => setImmediate(resolve));
}
console.log(JSON.stringify({ products, wrong, hasStack }));
