import os from 'node:os';
import { loadEngine } from '../src/train/engine/load.js';
import { pythonWithTorch, TorchPeer } from './support.js';
import { benchTrainingStep, largeCases } from './training-step.js';

const engine = await loadEngine({ engine: 'auto' });
const python = pythonWithTorch();
if (python === null) console.log('no Python with PyTorch was found (set GRADSCOPE_PYTHON): ours alone');
const peer = python === null ? null : new TorchPeer(python, os.availableParallelism());
await benchTrainingStep(
  largeCases,
  peer,
  `${engine.version}, ${os.availableParallelism()} threads on both sides`,
);
peer?.close();
