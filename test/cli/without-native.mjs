// Preloaded into a child process: a machine whose native TensorFlow package cannot load.
import Module from 'node:module';

const resolve = Module._resolveFilename;
Module._resolveFilename = (request, ...rest) => {
  if (request === '@tensorflow/tfjs-node-gpu')
    throw new Error('libtensorflow.so.2: cannot open shared object file');
  return resolve(request, ...rest);
};
