import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { allocateFields } from '../../data/fields.js';
import type { ExampleSet, FieldBuffers, FieldSpecs } from '../../data/experiment.js';
import { addExperiment, experiments } from '../../data/registry.js';
import { createStream } from '../../data/random/streams.js';
import { probeDefaults } from '../../src/probe/probe.js';
import { Prober } from '../../src/probe/prober.js';
import { exportModel } from '../../src/run/export-model.js';
import { loadKnownConfig } from '../../src/run/experiment-module.js';
import { startRuns } from '../../src/run/run.js';
import { encodeSafetensors } from '../../src/store/safetensors.js';
import { openFamily } from '../../src/train/models/folder/folder.js';
import { useTestEngine } from '../train/support/engine.js';
import { finalWeights, quietRequest, temporaryFolder, tiny } from './support.js';

const root = temporaryFolder();
const folder = path.join(root, 't5');
/** Where runs look for the experiment, which is registered here. */
const module = path.join(root, 'pairs-of-texts.mjs');
fs.writeFileSync(module, 'export default null;\n');
const sha256 = createHash('sha256').update(fs.readFileSync(module)).digest('hex');

/** Set inclusion as pairs of texts: the question or definition is the source, its answer what the decoder writes. */
const inner = experiments.get('set-inclusion')!;
addExperiment(
  {
    name: 'pairs-of-texts',
    design: inner.design,
    schema: inner.schema,
    build: (config, loss, seed, options) => {
      const data = inner.build(config, loss, seed, options);
      if (data.shape.modality !== 'text') throw new Error('not a text');
      const { counterfactuals: _, ...own } = data;
      return {
        ...own,
        shape: { ...data.shape, blockSize: 1, queries: 1, inputLength: data.shape.blockSize },
        training: (subset) => asPairs(data.training(subset)),
        tests: data.tests.map((one) => ({
          ...one,
          examples: asPairs(one.examples),
          asTraining: asPairs(one.asTraining),
        })),
      };
    },
  },
  { path: module, sha256 },
);

function asPairs(set: ExampleSet): ExampleSet {
  const { positions: _, ...others } = set.fields;
  const fields: FieldSpecs = { ...others, decoderTokens: { dtype: 'int32', shape: [1] } };
  const length = set.fields['tokens']!.shape[0]!;
  const fill: ExampleSet['fill'] = (rows, first, buffers, random) => {
    const own: FieldBuffers = allocateFields(set.fields, rows.length);
    set.fill(rows, 0, own, random);
    for (const name of Object.keys(others))
      buffers[name]?.set(own[name]!, (first * own[name]!.length) / rows.length);
    // What stands behind the place that is asked at is the answer.
    for (let i = 0; i < rows.length; i++)
      buffers['tokens']?.fill(0, (first + i) * length + own['positions']![i]! + 1, (first + i + 1) * length);
    buffers['decoderTokens']?.fill(0, first, first + rows.length);
  };
  return { ...set, fields, fill };
}

beforeAll(() => {
  const config = {
    model_type: 't5',
    d_model: 16,
    d_kv: 4,
    d_ff: 24,
    num_layers: 1,
    num_heads: 2,
    vocab_size: 1024,
    feed_forward_proj: 'relu',
  };
  fs.mkdirSync(folder);
  fs.writeFileSync(path.join(folder, 'config.json'), JSON.stringify(config));
  const random = createStream(0, 'folder');
  const tensors = openFamily(folder).model.mappings.flatMap((mapping) =>
    mapping.tensors.map(({ name, shape }) => {
      const values = new Float32Array(shape.reduce((product, size) => product * size, 1));
      if (shape.length === 1) values.fill(1);
      else random.fillNormal(values, 0.2);
      return { name, shape, values };
    }),
  );
  fs.writeFileSync(
    path.join(folder, 'model.safetensors'),
    Buffer.concat(encodeSafetensors({ tensors, metadata: {} })),
  );
});

test('a T5 is trained, evaluated, logged, probed and exported as any model', async () => {
  const engine = await useTestEngine();
  const file = path.join(root, 'pairs.yaml');
  const base = path.resolve('configs/set-inclusion-smoke.yaml');
  const lines = [`extends: ${base}`, 'experiment: pairs-of-texts', `model: { from: ./t5 }`];
  const place = `module: { path: ${module}, sha256: '${sha256}' }`;
  fs.writeFileSync(file, `${[...lines, place].join('\n')}\n`);
  const { config, resolved } = loadKnownConfig(file, [
    ...tiny.filter((own) => !own.startsWith('model.')),
    'data.format=paper',
    'log.tier=full',
    'stages.0.epochs=1',
    'stages.1.epochs=1',
    'stages.0.parameterGroups=[]',
    'stages.1.parameterGroups=[]',
  ]);
  const { end, folders } = await startRuns(config, resolved, [0, 1], quietRequest(root, engine));
  expect(end).toBe('complete');
  const weights = finalWeights(folders[0]!);
  expect([...weights.keys()]).toContain('decoder.layers.0.cross_attention.key_value.weight');
  expect([...weights.values()].every((own) => own.every(Number.isFinite))).toBe(true);

  const out = path.join(root, 'exported');
  const { files, modelType } = await exportModel(folders[0]!, out);
  expect({ files, modelType }).toEqual({ files: ['config.json', 'model.safetensors'], modelType: 't5' });

  const only = ['transfer', 'penalty'];
  const prober = new Prober(
    { ...probeDefaults, variablesPerSubset: 2, questions: 2, only },
    { engine },
    { onProgress: () => {}, onMessage: () => {} },
  );
  await prober.probe(folders[0]!);
  prober.dispose();
});
