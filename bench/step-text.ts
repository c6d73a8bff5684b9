import { loadEngine } from '../src/train/engine/load.js';
import { pythonWithTorch, TorchPeer } from './support.js';
import { benchTrainingStep, textCases } from './training-step.js';

const engine = await loadEngine({ engine: 'auto' });
const python = pythonWithTorch();
if (python === null) console.log('no Python with PyTorch was found (set GRADSCOPE_PYTHON): ours alone');
// Small models are slower in PyTorch on two threads than on one.
const peer = python === null ? null : new TorchPeer(python, 1);
await benchTrainingStep(textCases, peer, `${engine.version}, PyTorch on 1 thread (its best for these sizes)`);
peer?.close();
