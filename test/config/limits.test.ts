import { describe, expect, test } from 'vitest';
import { UserError } from '../../data/errors.js';
import { loadConfig } from '../../src/config/load.js';
import { runSchema } from '../../src/run/config.js';
import { checkedCost } from '../../src/run/plan.js';
import { matchesParameter } from '../../data/parameter-groups.js';
import { settingsWithLittleEffect } from '../../src/run/without-effect.js';

const text = 'configs/set-inclusion-smoke.yaml';
const images = 'configs/mnist-qa-smoke.yaml';

/** Loads a preset with overrides and plans what it costs; throws what a start would say. */
function start(file: string, overrides: readonly string[]): string[] {
  const { config } = loadConfig(file, runSchema, overrides);
  return settingsWithLittleEffect(config, checkedCost(config));
}

function refusal(file: string, ...overrides: string[]): string {
  const before = performance.now();
  try {
    start(file, overrides);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    expect(performance.now() - before).toBeLessThan(5000);
    return error.message;
  }
  return 'accepted';
}

const isOneLine = (message: string): boolean => message.length < 400 && !message.includes('\n');

describe('numbers are bounded by what they cost and by what they mean', () => {
  test.each([
    ['data.maxNumber', '1e8', '1e15', '0'],
    ['data.blockSize', '100000000'],
    ['data.variables', '1e9'],
    ['data.labelFlipProbability', '1'],
    ['model.width', '3000000', '1e12'],
    ['model.layers', '1000000'],
    ['model.feedForward', '1e9'],
    ['model.layerNormEpsilon', '1e300', '1e-300'],
    ['model.variableEmbedding.standardDeviation', '1e300'],
    ['model.variableEmbedding.noise', '1e300'],
    ['evaluation.batchSize', '1e15'],
    ['evaluation.everyEpochs', '1e-300', '1e300'],
    ['evaluation.maxExamples', '1e15'],
    ['log.sketchSize', '1e9', '1e15'],
    ['log.gram', '{ at: [] }', '{ every: 1e15 }', '{ every: 1, offset: 1e15 }'],
    ['log.gram', '{ logarithmic: { start: 1, end: 100, steps: 1e9 } }'],
    ['log.gram', '{ logarithmic: { start: 100, end: 1, steps: 5 } }'],
    ['checkpoint.perStage', '1e9', '1e15'],
    ['checkpoint.everySeconds', '1e-300', '1e300'],
    ['stages.0.epochs', '1e300', '1e-9', '0.0001', '0', '-1'],
    ['stages.0.batchSize', '1e8', '1e15', '1.5'],
    ['stages.0.clipNorm', '1e-300', '1e300'],
    ['stages.0.schedule.warmupSteps', '1e15'],
    ['stages.0.optimizer.learningRate', '-1', '1e300'],
    ['stages.0.optimizer.epsilon', '1e15', '1e300', '1e-300', '0'],
    ['stages.0.optimizer.weightDecay', '1000', '100'],
  ])('%s', (key, ...values) => {
    for (const value of values) {
      const message = refusal(text, `${key}=${value}`);
      expect(message, value).toContain(key);
      expect(isOneLine(message), message).toBe(true);
    }
  });

  test.each([
    ['data.grid', '1000', '33'],
    ['data.testImages', '1e9'],
    ['data.labels', '1000'],
    ['data.epochExamples', '1e300'],
    ['data.mixture.qd1consis', '1e-300', '1e300', '-1'],
    ['data.image.deviation', '1e-300', '1e300'],
    ['data.image.mean', '1e300'],
    ['data.image.crop', '1e9'],
    ['data.image.stripHeight', '1e9'],
  ])('%s', (key, ...values) => {
    for (const value of values) {
      const message = refusal(images, `${key}=${value}`);
      expect(message, value).toContain(key);
    }
  });

  test('sizes that are possible each by itself, and too large together', () => {
    expect(refusal(text, 'model.layers=256', 'model.width=16384', 'model.feedForward=65536')).toMatch(
      /^model: parameters: [\d,]+, and 20,000,000,000 are the most/,
    );
    expect(refusal(text, 'stages.0.epochs=1e7', 'stages.0.batchSize=1')).toMatch(/^stages: updates/);
    expect(refusal(text, 'data.variables=17576', 'data.maxNumber=99999')).toContain('draws');
  });

  test('null runs are allowed: a learning rate of 0 is told', () => {
    expect(
      start('configs/set-inclusion.yaml', [
        'stages.0.optimizer.learningRate=0',
        'stages.0.parameterGroups=[]',
      ]),
    ).toEqual(['stages.0: the learning rate is 0: the network is measured, not trained']);
  });
});

describe('no setting is silently without effect', () => {
  test('a parameter group that matches nothing', () => {
    const group = (parameters: string): string =>
      `stages.0.parameterGroups=[{ parameters: ${parameters}, learningRate: 1 }]`;
    expect(refusal(text, group('variable_embeding.weight'))).toBe(
      'stages.0.parameterGroups.0.parameters: "variable_embeding.weight" matches no parameter of the model; ' +
        'did you mean "variable_embedding.weight"?',
    );
    expect(refusal(text, group('nothing.like.it'))).toMatch(
      /matches no parameter of the model; it has .* more$/,
    );
    expect(refusal(text, group('"layers.*.weight"'))).toBe('accepted');
    expect(
      refusal(
        text,
        'stages.0.parameterGroups=[{ parameters: "*", learningRate: 1 }, { parameters: embed_in.weight, learningRate: 2 }]',
      ),
    ).toContain('matches only parameters of groups before it');
  });

  test.each([
    ['a stage of no updates', 'stages.0.epochs=0.001', /^stages\.0\.epochs: 0\.001 of 25 updates are none/],
    [
      'a schedule that never comes',
      'log.gram={ every: 1, offset: 5000 }',
      /^log\.gram: its first update is 5001/,
    ],
    ['updates beyond the run', 'log.vectors={ at: [9000] }', /^log\.vectors: its first update is 9000/],
  ])('refused: %s', (_, override, message) => {
    expect(refusal(text, override)).toMatch(message);
  });

  test('Nesterov without momentum', () => {
    expect(refusal(text, 'stages.0.optimizer={ kind: sgd, learningRate: 0.1, nesterov: true }')).toMatch(
      /nesterov: has no effect without momentum/,
    );
  });

  test.each([
    ['full batch', ['stages.0.batchSize=100000'], 'stages.0.batchSize: 100000 is more than the 3120 rows'],
    [
      'a warm-up without end',
      ['stages.0.epochs=2'],
      'warmupSteps: 100 of 50 updates: the full learning rate is never',
    ],
    [
      'evaluations',
      ['evaluation.everyEpochs=1000'],
      'evaluation.everyEpochs: 1000 is as long as the longest stage',
    ],
    [
      'examples',
      ['evaluation.maxExamples=100000'],
      'evaluation.maxExamples: 100000 is no less than the largest',
    ],
    [
      'kept checkpoints',
      ['checkpoint.keep=last', 'checkpoint.perStage=4', 'tagExchange=false'],
      'checkpoint.keep last keeps none of them',
    ],
    ['normalisation', ['loss.normalisation=token'], 'loss.normalisation: token is the same as example'],
    ['some updates', ['log.gram={ at: [1, 9000] }'], 'log.gram: it goes on to update 9000'],
    ['rotary positions', ['model.rotaryBase=5000'], 'nothing is turned where model.positions is learned'],
    ['rounded epochs', ['stages.1.epochs=1.4'], 'stages.1.epochs: 1.4 are rounded to 1 updates'],
  ])('told at the start: %s', (_, overrides, expected) => {
    expect(start(text, overrides).join('\n')).toContain(expected);
  });

  test('an unused mixture', () => {
    expect(start(images, ['stages.0.sampler=shuffle', 'stages.0.epochs=40']).join('\n')).toContain(
      'no stage draws with the sampler mixture',
    );
  });

  test('presets say nothing, but for the full batch of the smallest', () => {
    expect(start(text, [])).toEqual([
      'stages.1.batchSize: 128 is more than the 60 rows: every minibatch is all of them',
    ]);
    expect(start('configs/set-inclusion.yaml', [])).toEqual([]);
    expect(start(images, [])).toEqual([]);
  });
});

test.each([
  ['a.b', 'a.b', true],
  ['a.b', 'axb', false],
  ['*', 'anything', true],
  ['layers.*.weight', 'layers.0.mlp.weight', true],
  ['layers.*.weight', 'layers.weight', false],
  ['*a*', 'bab', true],
  ['*ab*ab', 'ab', false],
  ['*ab*ab', 'abab', true],
  ['ab*ba', 'aba', false],
])('pattern %s and %s: %s', (pattern, name, expected) => {
  expect(matchesParameter(pattern, name)).toBe(expected);
});

test('a pattern of many stars takes no time', () => {
  const before = performance.now();
  expect(matchesParameter('*a'.repeat(100), `${'a'.repeat(90)}b`)).toBe(false);
  expect(performance.now() - before).toBeLessThan(100);
});
