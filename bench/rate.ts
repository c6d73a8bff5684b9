import { matMulRate } from '../src/probe/self-test.js';
import { loadEngine } from '../src/train/engine/load.js';

/** The rate of the processor's own float32 products, which every ratio of the benches depends on. */
const engine = await loadEngine({ engine: 'auto' });
const rate = matMulRate(engine.name === 'native' ? 15 : 3);
console.log(`float32 products: ${rate.toFixed(0)} GFLOP/s (${engine.version}, 1024 x 1024, all cores)`);
