import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, test } from 'vitest';
import { backward, forward } from '../../../src/train/backward.js';
import { assembleGradients } from '../../../src/train/gradient.js';
import { buildTransformer } from '../../../src/train/models/transformer/transformer.js';
import type { Model, ModelInputs } from '../../../src/train/models/model.js';
import { editedModel, editInputs } from '../../../src/train/sites/edit.js';
import { readActivations } from '../../../src/train/sites/read.js';
import { sitesNamed } from '../../../src/train/sites/site.js';
import { FactorTape } from '../../../src/train/tape/factor-tape.js';
import { useTestEngine } from '../support/engine.js';
import { randomParameters, randomTensor, relativeDifference, testStream } from '../support/random.js';
import { randomTextBatch, transformerCases } from '../support/transformer-cases.js';

beforeAll(useTestEngine);

type Row = readonly number[];

const [examples, rows] = [3, 6];

function caseOf({ config, shape }: (typeof transformerCases)[number]) {
  const model = buildTransformer(config, { shape, hidePadding: false });
  const { variableNoise: _, ...batch } = randomTextBatch(
    shape,
    1,
    examples,
    config.variableEmbedding?.width ?? null,
  );
  const parameters = randomParameters(model, 1, testStream());
  const named = (name: string): Row[][] => {
    const [own] = readActivations(model, parameters, batch, sitesNamed([name], model.sites!));
    return tf.reshape(own!, [examples, rows, own!.shape[2]]).arraySync() as number[][][];
  };
  return { config, model, batch, parameters, named };
}

const close = (actual: readonly Row[][], expected: readonly Row[][]): void => {
  expect(actual.flat(2).length).toBe(expected.flat(2).length);
  const other = expected.flat(2);
  actual.flat(2).forEach((value, i) => expect(value).toBeCloseTo(other[i]!, 4));
};
const each = (x: readonly Row[][], change: (row: Row, example: number, t: number) => Row): Row[][] =>
  x.map((own, e) => own.map((row, t) => change(row, e, t)));
const sum = (a: Row, ...more: Row[]): Row => a.map((x, i) => more.reduce((all, own) => all + own[i]!, x));

/** In float64 without TensorFlow. */
function mathsOf(parameters: ReadonlyMap<string, tf.Tensor>) {
  const read = (name: string): unknown => (parameters.get(name)!.arraySync() as unknown[])[0];
  const map = (x: Row, name: string): Row => {
    const weight = read(`${name}.weight`) as number[][];
    const bias = read(`${name}.bias`) as number[];
    return bias.map((b, j) => x.reduce((all, value, i) => all + value * weight[i]![j]!, b));
  };
  const norm = (x: Row, name: string): Row => {
    const mean = x.reduce((a, b) => a + b, 0) / x.length;
    const variance = x.reduce((a, b) => a + (b - mean) ** 2, 0) / x.length;
    const [gain, bias] = [read(`${name}.weight`) as number[], read(`${name}.bias`) as number[]];
    return x.map((value, i) => (gain[i]! * (value - mean)) / Math.sqrt(variance + 1e-5) + bias[i]!);
  };
  return { read, map, norm };
}

/** Error function by its series, exact to 1e-12 where it is asked here. */
function erf(x: number): number {
  if (Math.abs(x) > 5) return Math.sign(x);
  let [term, total] = [x, x];
  for (let n = 1; n < 200; n++) {
    term *= (-x * x) / n;
    total += term / (2 * n + 1);
  }
  return (2 / Math.sqrt(Math.PI)) * total;
}

describe.each(transformerCases.filter(({ config }) => !config.tiedEmbedding))('$name', (own) => {
  const { config, shape } = own;

  test('activations by name are those of the equations of a block', () => {
    const { parameters, batch, named } = caseOf(own);
    const { map, norm } = mathsOf(parameters);
    const isParallel = config.residual === 'parallel';
    let before = named('embedding');
    for (let i = 0; i < config.layers; i++) {
      const block = `layers.${i}`;
      const heads = named(`${block}.attention.heads`);
      const output = named(`${block}.attention.output`);
      const hidden = named(`${block}.mlp.hidden`);
      const written = named(`${block}.mlp.output`);
      close(
        output,
        each(heads, (x) => map(x, `${block}.attention.dense`)),
      );
      const read = isParallel ? before : each(before, (x, e, t) => sum(x, output[e]![t]!));
      const inner = each(read, (x) =>
        map(norm(x, `${block}.post_attention_layernorm`), `${block}.mlp.dense_h_to_4h`),
      );
      close(
        hidden,
        each(inner, (x) => x.map((z) => (z * (1 + erf(z / Math.SQRT2))) / 2)),
      );
      close(
        written,
        each(hidden, (x) => map(x, `${block}.mlp.dense_4h_to_h`)),
      );
      const after = named(`${block}.residual`);
      close(
        after,
        each(before, (x, e, t) => sum(x, output[e]![t]!, written[e]![t]!)),
      );
      if (config.positions === 'learned')
        close(
          heads,
          attended(
            config.heads,
            each(before, (x) =>
              map(norm(x, `${block}.input_layernorm`), `${block}.attention.query_key_value`),
            ),
          ),
        );
      const size = config.width / config.heads;
      for (let head = 0; head < config.heads; head++)
        expect(named(`${block}.attention.heads.${head}`)).toEqual(
          each(heads, (x) => x.slice(head * size, (head + 1) * size)),
        );
      before = after;
    }
    const { logits } = forwardOf(buildTransformer(config, { shape, hidePadding: false }), parameters, batch);
    const unembedding = mathsOf(parameters).read('embed_out.weight') as number[][];
    const expected = each(before, (x) => {
      const y = norm(x, 'final_layer_norm');
      return unembedding[0]!.map((_, j) => y.reduce((all, value, k) => all + value * unembedding[k]![j]!, 0));
    });
    const positions = batch['positions']?.arraySync() as number[][][] | undefined;
    const asked = expected.map((example, e) =>
      positions === undefined ? example.slice(0, -1) : positions[0]![e]!.map((t) => example[t]!),
    );
    close([logits.arraySync()[0]!], [asked.flat()]);
  });

  test('reading changes no bit of losses and gradients, nor does an edit that leaves every row alone', () => {
    const { model, batch, parameters } = caseOf(own);
    const plain = bitsOf(model, parameters, batch);
    let calls = 0;
    const watched: Model = {
      ...model,
      logits: (tape, inputs) =>
        tape.hooked(
          (_, x) => {
            calls++;
            return x;
          },
          () => model.logits(tape, inputs),
        ),
    };
    expect(bitsOf(watched, parameters, batch)).toEqual(plain);
    expect(calls).toBe(1 + 5 * config.layers);
    for (const site of model.sites!) {
      const edited = editedModel(model, [
        { site, kind: 'replace' },
        { site, kind: 'add' },
      ]);
      const inputs = {
        ...batch,
        ...editInputs([
          { values: tf.fill([1, examples, rows, site.width], 7), rows: tf.zeros([1, examples, rows]) },
          { values: tf.fill([1, examples, rows, site.width], 7), rows: tf.zeros([1, examples, rows]) },
        ]),
      };
      expect(bitsOf(edited, parameters, inputs), site.name).toEqual(plain);
    }
  });

  test('an example that is given its own activations stays what it is; given those of another, it becomes it', () => {
    const { model, batch, parameters } = caseOf(own);
    const [site] = sitesNamed([`layers.${config.layers - 1}.residual`], model.sites!);
    const [residual] = readActivations(model, parameters, batch, [site!]);
    const values = tf.reshape(residual!, [1, examples, rows, config.width]) as tf.Tensor4D;
    // Of the same shapes as what was read: at every place.
    const places = tf.tile(tf.reshape(tf.range(0, rows, 1, 'int32'), [1, 1, rows]), [1, examples, 1]);
    const logitsOf = (of: Model, inputs: ModelInputs): tf.Tensor3D => {
      const tape = new FactorTape(parameters, examples, tf.scalar(0));
      return of.logits(tape, { tokens: batch['tokens']!, positions: places, ...inputs });
    };
    const edited = editedModel(model, [{ site: site!, kind: 'replace' }]);
    const patched = (given: tf.Tensor4D): tf.Tensor =>
      logitsOf(edited, editInputs([{ values: given, rows: tf.ones([1, examples, rows]) }]));
    const logits = logitsOf(model, {});
    expect(patched(values).dataSync()).toEqual(logits.dataSync());
    // Behind the last block nothing mixes rows: with the stream of the next example come its logits.
    const expected = tf.concat(
      [tf.slice(logits, [0, rows, 0]), tf.slice(logits, [0, 0, 0], [1, rows, -1])],
      1,
    );
    const next = tf.concat(
      [tf.slice(values, [0, 1, 0, 0]), tf.slice(values, [0, 0, 0, 0], [1, 1, rows, -1])],
      1,
    );
    // A row's place in a tensor decides in which order some kernels add: not to the bit.
    expect(relativeDifference(patched(next), expected)).toBeLessThan(1e-6);
    expect(relativeDifference(logits, expected)).toBeGreaterThan(0.1);
  });

  test('gradients with an activation added are those of central differences in its strength', () => {
    const { model, batch, parameters } = caseOf(own);
    const site = sitesNamed(['layers.0.attention.heads.1'], model.sites!)[0]!;
    const edited = editedModel(model, [{ site, kind: 'add' }]);
    const direction = randomTensor([1, examples, rows, site.width], testStream(5));
    const lossAt = (strength: number, shifted: ReadonlyMap<string, tf.Tensor>): number => {
      const values = tf.mul(direction, strength) as tf.Tensor4D;
      const inputs = {
        ...batch,
        ...editInputs([{ values, rows: tf.ones([1, examples, rows]) }]),
      };
      return tf.sum(forwardOf(edited, shifted, inputs).losses).dataSync()[0]!;
    };
    // The weight that makes queries, keys and values lies before the edit, the gradient of the sum of losses passes it.
    const name = 'layers.0.attention.query_key_value.weight';
    const inputs = {
      ...batch,
      ...editInputs([{ values: direction as tf.Tensor4D, rows: tf.ones([1, examples, rows]) }]),
    };
    const { uses } = backward(edited, parameters, inputs, tf.ones([1, examples]));
    const gradient = assembleGradients(uses, 1).total.get(name)!;
    const step = randomTensor([...gradient.shape], testStream(6));
    const moved = (size: number): ReadonlyMap<string, tf.Tensor> =>
      new Map(
        [...parameters].map(([own, value]) => [
          own,
          own === name ? tf.add(value, tf.mul(step, size)) : value,
        ]),
      );
    const slope = (h: number): number => (lossAt(1, moved(h)) - lossAt(1, moved(-h))) / (2 * h);
    // Richardson's extrapolation: the error of third order goes.
    const measured = (4 * slope(3e-3) - slope(6e-3)) / 3;
    const predicted = tf.sum(tf.mul(gradient, step)).dataSync()[0]!;
    expect(Math.abs(measured - predicted)).toBeLessThan(0.02 * Math.max(1, Math.abs(predicted)));
    expect(lossAt(1, parameters)).not.toBeCloseTo(lossAt(0, parameters), 3);
  });
});

test('no gradient flows through what was replaced', () => {
  const { model, batch, parameters } = caseOf(transformerCases[0]!);
  const site = sitesNamed(['layers.1.residual'], model.sites!)[0]!;
  const edited = editedModel(model, [{ site, kind: 'replace' }]);
  const values = randomTensor([1, examples, rows, site.width], testStream(5)) as tf.Tensor4D;
  const inputs = { ...batch, ...editInputs([{ values, rows: tf.ones([1, examples, rows]) }]) };
  const { uses } = backward(edited, parameters, inputs, tf.ones([1, examples]));
  const gradients = assembleGradients(uses, 1).total;
  const size = (name: string): number => tf.max(tf.abs(gradients.get(name)!)).dataSync()[0]!;
  expect(size('embed_in.weight')).toBe(0);
  expect(size('layers.1.mlp.dense_4h_to_h.weight')).toBe(0);
  expect(size('embed_out.weight')).toBeGreaterThan(0.01);
});

test('a name that the model does not have is said with the nearest ones', () => {
  const { model } = caseOf(transformerCases[0]!);
  expect(() => sitesNamed(['layers.0.attention.outptu'], model.sites!)).toThrow(
    'the model has no activation "layers.0.attention.outptu"; the nearest are layers.0.attention.output',
  );
  expect(() => sitesNamed(['x'.repeat(500)], model.sites!)).toThrow('the nearest are');
  expect(() => sitesNamed(['layers.0.residual'], [])).toThrow('have no names');
  expect(sitesNamed(['layers.*.residual'], model.sites!).map(({ name }) => name)).toEqual([
    'layers.0.residual',
    'layers.1.residual',
  ]);
  expect(new Set(model.sites!.map(({ name }) => name)).size).toBe(model.sites!.length);
});

function forwardOf(model: Model, parameters: ReadonlyMap<string, tf.Tensor>, inputs: ModelInputs) {
  return tf.tidy(() => forward(model, parameters, inputs));
}

function bitsOf(model: Model, parameters: ReadonlyMap<string, tf.Tensor>, inputs: ModelInputs): number[][] {
  const { losses, uses } = backward(model, parameters, inputs, tf.ones([1, examples]));
  const gradients = assembleGradients(uses, 1).total;
  return [losses, ...gradients.values()].map((own) => Array.from(own.dataSync()));
}

/** Causal attention of several heads over rows of query | key | value. */
function attended(heads: number, projected: readonly Row[][]): Row[][] {
  return each(projected, (row, e, t) => {
    const width = row.length / 3;
    const size = width / heads;
    const past = projected[e]!.slice(0, t + 1);
    return Array.from({ length: width }, (_, column) => {
      const first = Math.floor(column / size) * size;
      const scores = past.map((other) => {
        let score = 0;
        for (let i = first; i < first + size; i++) score += row[i]! * other[width + i]!;
        return Math.exp(score / Math.sqrt(size));
      });
      const total = scores.reduce((a, b) => a + b, 0);
      return past.reduce((all, other, s) => all + (scores[s]! / total) * other[2 * width + column]!, 0);
    });
  });
}
