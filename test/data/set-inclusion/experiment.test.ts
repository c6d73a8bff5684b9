import { beforeAll, describe, expect, it } from 'vitest';
import { buildSetInclusion, type SetInclusionData } from '../../../data/set-inclusion/experiment.js';
import {
  answerLoss,
  paperConfig,
  smallConfig,
  testSet,
  textLoss,
  valueOf,
  wordsOf,
} from '../support/set-inclusion.js';

describe('the published data: 8000 variables, seed 0', () => {
  let data: SetInclusionData;
  beforeAll(() => {
    const config = paperConfig({ variables: 8000, names: 'all', blockSize: 16 });
    data = buildSetInclusion(config, { ...textLoss, includePadding: true }, 0);
  });
  const row = (name: string, variable: number, question = 0) => {
    const { asTraining } = testSet(data, name);
    return wordsOf(data, asTraining, asTraining.variable.indexOf(variable) + question);
  };

  it('has the published strings', () => {
    expect(row('train_questions_qd1consis', 0)).toBe('ukj % 86 97 48 19 16 38 63 87 = true');
    expect(row('train_questions_qd1consis', 0, 11)).toBe('ukj % 61 8 35 5 16 20 13 87 = false');
    expect(row('qd1consis', 0)).toBe('ukj % 63 78 31 34 32 76 3 49 = true');
    expect(row('qd1consis', 0, 11)).toBe('ukj % 57 88 10 29 67 18 44 8 = false');
    expect(row('train_defs_qd1consis', 0)).toBe('define1 ukj % 63');
    expect(row('train_defs_qd2incons', 3200)).toBe('define2 sgk % 35');
    const first = (name: string) => wordsOf(data, testSet(data, name).asTraining, 0);
    expect(first('train_defs_d1consis')).toBe('define1 nuq % 73');
    expect(first('train_defs_d2consis')).toBe('define2 nqe % 25');
    expect(data.points.names.slice(0, 3)).toEqual(['ukj', 'bzj', 'zfv']);
  });

  it('has the published counts', () => {
    expect(data.training('stage1').size).toBe(83_200);
    expect(data.training('stage1_only_qa').size).toBe(76_800);
    expect(data.training('stage1_only_defns').size).toBe(6400);
    expect(data.training('stage2').size).toBe(1600);
    expect(data.training('full').size).toBe(84_800);
    expect(data.training('all_defns').size).toBe(8000);
    const tests = ['qd1consis', 'qd2incons', 'd1consis', 'd2consis'];
    expect(tests.map((name) => testSet(data, name).examples.size)).toEqual([38_400, 38_400, 9600, 9600]);
  });

  it('has the published shape', () => {
    expect(data.shape).toEqual({
      modality: 'text',
      vocabularySize: 17_711,
      variables: 0,
      outputSize: 17_711,
      blockSize: 16,
      queries: 15,
      padToken: 0,
    });
    const stage1 = data.training('stage1');
    expect(valueOf(stage1, 0, 'tokens')).toEqual([6, 13924, 3, 72, ...Array<number>(12).fill(0)]);
    expect(valueOf(stage1, 0, 'labels')).toEqual([13924, 3, 72, ...Array<number>(12).fill(0)]);
    expect(valueOf(stage1, 0, 'weights')).toEqual(Array<number>(15).fill(Math.fround(1 / 15)));
  });

  it('is the same for ever', () => {
    expect(data.hash).toMatchInlineSnapshot(
      `"3cf51626b2d7c53d01e2b241216f4b5c81e75b11c331926c4786d792575a4c97"`,
    );
  });
});

describe('the small data: 1000 variables', () => {
  const data = buildSetInclusion(smallConfig(), answerLoss, 0);

  it('has the sizes of the recipe', () => {
    expect(data.training('stage1').size).toBe(9600 + 800);
    expect(data.training('stage2').size).toBe(200);
    expect(data.shape).toEqual({
      modality: 'text',
      vocabularySize: 21,
      variables: 1000,
      outputSize: 21,
      blockSize: 5,
      queries: 1,
      padToken: 16,
    });
    expect(data.groups).toEqual([
      'qd1consis/definition',
      'qd1consis/qa',
      'qd2incons/definition',
      'qd2incons/qa',
      'd1consis/definition',
      'd2consis/definition',
    ]);
  });

  it('rows end before their answers', () => {
    const { asTraining, examples } = testSet(data, 'train_questions_qd1consis');
    expect(wordsOf(data, asTraining, 0).split(' ')).toHaveLength(5);
    expect(valueOf(asTraining, 0, 'positions')).toEqual([4]);
    expect(data.vocabulary.decode(valueOf(asTraining, 0, 'labels'))).toBe('true');
    expect(data.vocabulary.decode(valueOf(examples, 0, 'contrast'))).toBe('false');
    const definitions = testSet(data, 'train_defs_qd1consis').asTraining;
    expect(wordsOf(data, definitions, 0)).toBe(`define1 ${data.points.names[0]}`);
    expect(valueOf(definitions, 0, 'positions')).toEqual([1]);
    expect(valueOf(definitions, 0, 'labels')).toEqual([data.points.value[0]]);
  });

  it('is the same for ever', () => {
    expect(data.hash).toMatchInlineSnapshot(
      `"190bae6a4bf0f6a302b311969c82df8e68007b85c4debbf926e524c6b239bde5"`,
    );
  });

  it('equal arguments give equal data, other ones other data', () => {
    const hash = (changes: object, seed: number) =>
      buildSetInclusion(smallConfig(changes), answerLoss, seed).hash;
    expect(hash({}, 0)).toBe(data.hash);
    const others = [
      hash({}, 1),
      hash({ seedStage2: 1 }, 0),
      hash({ alpha: 0.5 }, 0),
      hash({ labelFlipProbability: 0.1 }, 0),
      hash({ definitionOrder: 'vte' }, 0),
      buildSetInclusion(smallConfig(), textLoss, 0).hash,
    ];
    expect(new Set([data.hash, ...others]).size).toBe(7);
  });
});

describe('definition orders', () => {
  it.each(['tve', 'vte', 'evt', 'etv', 'tev', 'vet'] as const)(
    '%s is built in format paper',
    (definitionOrder) => {
      const data = buildSetInclusion(paperConfig({ definitionOrder }), answerLoss, 0);
      const { examples } = testSet(data, 'train_defs_d1consis');
      const [label] = valueOf(examples, 0, 'labels');
      const [contrast] = valueOf(examples, 0, 'contrast');
      const variable = examples.variable[0]!;
      const answer = { e: String(data.points.value[variable]), t: 'define1', v: data.points.names[variable] };
      expect(data.vocabulary.decode([label!])).toBe(answer[definitionOrder[2] as 't' | 'v' | 'e']);
      expect(contrast).not.toBe(label);
      expect(data.shape.blockSize).toBe(11);
    },
  );
});

describe('summary', () => {
  it('counts variables, rows and repeated questions', () => {
    const data = buildSetInclusion(
      smallConfig({ variables: 300, maxNumber: 7, listLength: 3 }),
      answerLoss,
      0,
    );
    const value = (name: string) => data.summary.find((line) => line.name === name)?.value;
    expect(value('variables')).toBe(300);
    expect(value('variables of d1consis')).toBe(30);
    expect(value('rows of qd1consis/qa')).toBe(1440);
    expect(value('test rows of d2consis')).toBe(360);
    // 240 variables with 6 + 6 test questions; a list is one of 7 * 6 * 5 false ones or 3 * 42 true ones.
    const expected = 240 * 6 * (6 / 210 + 6 / 126);
    expect(Math.abs(value('test questions equal to a training question')! - expected)).toBeLessThan(40);
  });
});
