import os from 'node:os';
import { loadEngine } from '../src/train/engine/load.js';
import { benchConvnetStep } from './convnet-step.js';
import { pythonWithTorch, TorchPeer } from './support.js';

const engine = await loadEngine({ engine: 'auto' });
const python = pythonWithTorch();
if (python === null) console.log('no Python with PyTorch was found (set GRADSCOPE_PYTHON): ours alone');
const peers =
  python === null ? [] : [1, os.availableParallelism()].map((threads) => new TorchPeer(python, threads));
await benchConvnetStep(peers, engine.version);
for (const peer of peers) peer.close();
