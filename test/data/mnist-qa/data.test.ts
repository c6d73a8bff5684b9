import { describe, expect, it } from 'vitest';
import type { ExampleSet } from '../../../data/experiment.js';
import { allocateFields } from '../../../data/fields.js';
import { fixedSights } from '../../../data/fixed-sights.js';
import { loadDigits, type LabelledImages } from '../../../data/images/digits.js';
import { createStream } from '../../../data/random/streams.js';
import { variableSubset } from '../../../data/mnist-qa/variables.js';
import { drawTags } from '../../../data/mnist-qa/tags.js';
import { choosePanel } from '../../../src/probe/panel/panel.js';
import { buildMnist } from '../support/mnist-qa.js';

const width = 24;
const height = 28;

/** One row of a set, drawn with a stream of its own. */
function rowOf(
  set: ExampleSet,
  row: number,
  stream = 'a',
): { image: Float32Array; labels: number[]; weights: number[]; contrast: number[] } {
  const buffers = allocateFields(set.fields, 1);
  set.fill([row], 0, buffers, () => createStream(0, stream));
  return {
    image: buffers['image'] as Float32Array,
    labels: Array.from(buffers['labels']!),
    weights: Array.from(buffers['weights']!),
    contrast: Array.from(buffers['contrast'] ?? []),
  };
}

/** Brightness of a normalised pixel, 0 to 1. */
const brightness = (value: number): number => value * 0.35 + 0.15;

/** Every pooled image of a part as text, with its class: what a cell shows is looked up among them. */
function pooledImages({ pixels, labels, count }: LabelledImages): Map<string, number> {
  const found = new Map<string, number>();
  for (let image = 0; image < count; image++) {
    const values: string[] = [];
    for (let y = 0; y < 10; y++) {
      for (let x = 0; x < 10; x++) {
        const at = image * 784 + (4 + 2 * y) * 28 + 4 + 2 * x;
        values.push(
          ((pixels[at]! + pixels[at + 1]! + pixels[at + 28]! + pixels[at + 29]!) / 4 / 255).toFixed(4),
        );
      }
    }
    found.set(values.join(), labels[image]!);
  }
  return found;
}

function cellText(image: Float32Array, cell: number): string {
  const values: string[] = [];
  for (let y = 0; y < 10; y++) {
    for (let x = 0; x < 10; x++) {
      const at = (4 + 12 * Math.floor(cell / 2) + 1 + y) * width + 12 * (cell % 2) + 1 + x;
      values.push(brightness(image[at]!).toFixed(4).replace('-', ''));
    }
  }
  return values.join();
}

/** The frame of a cell: its brightness, equal all around. */
function frameOf(image: Float32Array, cell: number): number {
  const [top, left] = [4 + 12 * Math.floor(cell / 2), 12 * (cell % 2)];
  const values = new Set<string>();
  for (let i = 0; i < 12; i++) {
    for (const [y, x] of [
      [0, i],
      [11, i],
      [i, 0],
      [i, 11],
    ] as const) {
      values.add(
        brightness(image[(top + y) * width + left + x]!)
          .toFixed(4)
          .replace('-', ''),
      );
    }
  }
  expect(values.size).toBe(1);
  return Number([...values][0]);
}

/** White squares of the strip, in order. */
function stripOf(image: Float32Array): number[] {
  return Array.from({ length: 6 }, (_, block) => {
    const values = Array.from({ length: 16 }, (_, i) =>
      brightness(image[Math.floor(i / 4) * width + 4 * block + (i % 4)]!),
    );
    // Adding 0 makes 0 of -0.
    const first = Math.round(values[0]!) + 0;
    for (const value of values) expect(value).toBeCloseTo(first, 5);
    return first;
  });
}

const data = buildMnist();
const { variables, writer } = data;
const training = data.training('full');
const digits = {
  train: pooledImages(loadDigits('mnist').train),
  test: pooledImages(loadDigits('mnist').test),
};
const testSet = (name: string) => data.tests.find((own) => own.name === name)!;

describe('what tables say of training examples', () => {
  it('is what the rows are filled with, their source images included', () => {
    const descriptions = data.examples();
    const set = data.training('stage2');
    const rows = [0, set.size - 1, 3];
    const buffers = allocateFields(set.fields, rows.length);
    set.fill(rows, 0, buffers, () => createStream(5, 'a'));
    const images = set.sourceImages!(rows, () => createStream(5, 'a'));
    const source = loadDigits('mnist').train;
    rows.forEach((row, i) => {
      const { group, variable, labels, weights, digits: classes, strip } = descriptions[set.id[row]!]!;
      expect(group).toBe(data.groups[set.group[row]!]);
      expect(variable).toBe(set.variable[row]);
      expect(Array.from(labels)).toEqual(Array.from(buffers['labels']!.subarray(4 * i, 4 * i + 4)));
      expect(Array.from(weights)).toEqual(Array.from(buffers['weights']!.subarray(4 * i, 4 * i + 4)));
      const image = buffers['image']!.subarray(i * width * height, (i + 1) * width * height) as Float32Array;
      expect(stripOf(image)).toEqual(Array.from(strip));
      for (let cell = 0; cell < 4; cell++) {
        const shown = images[4 * i + cell]!;
        const pixels = source.pixels.subarray(shown * 784, (shown + 1) * 784);
        const [text] = pooledImages({ ...source, count: 1, pixels }).keys();
        expect(cellText(image, cell)).toBe(text);
        expect(source.labels[shown]).toBe(classes[cell]);
      }
    });
  });

  it('numbers the rows of every training set alike', () => {
    const descriptions = data.examples();
    expect(Array.from(training.id)).toEqual(descriptions.map((_, i) => i));
    for (const subset of ['stage1', 'stage2', 'all_defns'] as const) {
      const set = data.training(subset);
      set.id.forEach((id, row) => {
        expect(descriptions[id]).toMatchObject({
          group: data.groups[set.group[row]!],
          variable: set.variable[row],
          probability: set.probability![row],
        });
      });
    }
  });
});

describe('variables', () => {
  it('have grids of their own, all different, and labels that inconsistent definitions exchange', () => {
    const grids = Array.from({ length: 40 }, (_, v) => variables.digits.slice(4 * v, 4 * v + 4).join());
    expect(new Set(grids).size).toBe(40);
    for (let v = 0; v < 40; v++) {
      const at = (values: Uint8Array): string => values.slice(4 * v, 4 * v + 4).join();
      const members = data.assignment.get(variableSubset(variables, v))!;
      if (variableSubset(variables, v) === 'qd2incons') {
        const others = members
          .filter((other) => other !== v)
          .map((other) => variables.labels.slice(4 * other, 4 * other + 4).join());
        expect(others).toContain(at(variables.defined));
        expect(at(variables.otherDefined)).toBe(at(variables.labels));
      } else {
        expect(at(variables.defined)).toBe(at(variables.labels));
        expect(at(variables.otherDefined)).not.toBe(at(variables.labels));
      }
    }
    variables.contrast.forEach((label, i) => {
      expect(label).not.toBe(variables.labels[i]);
      expect(label).toBeLessThan(10);
    });
  });

  it('hold one cell out', () => {
    for (let v = 0; v < 40; v++)
      expect(variables.heldOut.slice(4 * v, 4 * v + 4).reduce((a, b) => a + b)).toBe(1);
  });
});

describe('tags', () => {
  it.each([0, 1, 2, 3, 4])('of seed %i differ and are white enough', (seed) => {
    const tags = drawTags(6, { tagDistance: 3, tagWhite: 2 }, createStream(seed, 'tags'));
    for (const [i, a] of tags.entries()) {
      expect(a.reduce((sum, square) => sum + square, 0)).toBeGreaterThanOrEqual(2);
      for (const b of tags.slice(i + 1))
        expect(a.filter((square, j) => square !== b[j]).length).toBeGreaterThanOrEqual(3);
    }
  });
});

describe('training rows', () => {
  it('are of the groups in their numbers: definitions, and questions about cells that are not held out', () => {
    const counts = data.groups.map((_, g) => training.group.filter((own) => own === g).length);
    expect(Object.fromEntries(data.groups.map((name, g) => [name, counts[g]]))).toEqual({
      'qd1consis/definition': 10,
      'qd1consis/qa': 30,
      'qd2incons/definition': 10,
      'qd2incons/qa': 30,
      'd1consis/definition': 10,
      'd2consis/definition': 10,
    });
    expect(data.training('stage2').size).toBe(20);
    expect(data.training('stage1_only_qa').size).toBe(60);
  });

  it('show training digits of the right class, the tag or the frame, and have its target', () => {
    for (let row = 0; row < training.size; row++) {
      const { image, labels, weights } = rowOf(training, row);
      const variable = training.variable[row]!;
      const group = data.groups[training.group[row]!]!;
      expect(weights).toEqual([0.25, 0.25, 0.25, 0.25]);
      for (let cell = 0; cell < 4; cell++) {
        expect(digits.train.get(cellText(image, cell))).toBe(variables.digits[4 * variable + cell]);
      }
      const framed = [0, 1, 2, 3].filter((cell) => frameOf(image, cell) === 1);
      if (group.endsWith('/definition')) {
        expect(framed).toEqual([]);
        expect(stripOf(image)).toEqual([...writer.tags[group.includes('d1') ? 0 : 1]]);
        expect(labels).toEqual([...variables.defined.subarray(4 * variable, 4 * variable + 4)]);
      } else {
        expect(framed).toHaveLength(1);
        const [cell] = framed as [number];
        expect(stripOf(image)).toEqual([0, 0, 0, 0, 0, 0]);
        expect(variables.heldOut[4 * variable + cell]).toBe(0);
        expect(labels).toEqual(
          [0, 1, 2, 3].map((own) => (own === cell ? variables.labels[4 * variable + own] : 10)),
        );
      }
    }
  });

  it('look different at every sight', () => {
    expect(rowOf(training, 0, 'a').image).not.toEqual(rowOf(training, 0, 'b').image);
    expect(rowOf(training, 0, 'a').image).toEqual(rowOf(training, 0, 'a').image);
  });

  it('make a finite population when their looks are fixed, in whatever company a row is asked for', () => {
    const fixed = fixedSights(training, 0, 'test');
    const buffers = allocateFields(fixed.fields, 3);
    fixed.fill([5, 9, 5], 0, buffers, () => createStream(0, 'unused'));
    const image = (slot: number): Float32Array =>
      (buffers['image'] as Float32Array).slice(slot * height * width, (slot + 1) * height * width);
    expect(image(0)).toEqual(image(2));
    expect(image(1)).toEqual(rowOf(fixed, 9, 'b').image);
    expect(image(0)).not.toEqual(rowOf(training, 5).image);
  });

  it('are drawn with the probabilities of the recipe, shared by size where alpha divides a subset', () => {
    const shares = (own: typeof data): Record<string, number> => {
      const { group, probability } = own.training('full');
      const sums = own.groups.map((_, g) =>
        group.reduce((sum, other, row) => sum + (other === g ? probability![row]! : 0), 0),
      );
      return Object.fromEntries(own.groups.map((name, g) => [name, Number(sums[g]!.toFixed(6))]));
    };
    expect(shares(data)).toEqual({
      'qd1consis/definition': 0.14,
      'qd1consis/qa': 0.21,
      'qd2incons/definition': 0.14,
      'qd2incons/qa': 0.21,
      'd1consis/definition': 0.15,
      'd2consis/definition': 0.15,
    });
    expect(shares(buildMnist({ alpha: 0.8 }))).toMatchObject({
      'qd1consis/definition': 0.112,
      'qd1incons/definition': 0.028,
      'qd2incons/qa': 0.168,
      'qd2consis/qa': 0.042,
    });
  });
});

describe('test rows', () => {
  it('ask for held-out cells of trained variables and for all cells of others, with test digits', () => {
    const sizes = Object.fromEntries(data.tests.map(({ name, examples }) => [name, examples.size]));
    expect(sizes).toMatchObject({
      qd1consis: 20,
      qd2incons: 20,
      d1consis: 80,
      train_questions_qd1consis: 60,
      train_defs_d2consis: 20,
    });
    for (const name of ['qd1consis', 'd2consis', 'train_questions_qd2incons']) {
      const { examples, asTraining } = testSet(name);
      for (let row = 0; row < examples.size; row++) {
        const asked = rowOf(examples, row);
        const trained = rowOf(asTraining, row);
        const variable = examples.variable[row]!;
        expect(asked.image).toEqual(trained.image);
        const cell = asked.weights.indexOf(1);
        expect(asked.weights.reduce((a, b) => a + b)).toBe(1);
        expect(frameOf(asked.image, cell)).toBe(1);
        expect(asked.labels[cell]).toBe(variables.labels[4 * variable + cell]);
        expect(asked.contrast[cell]).toBe(variables.contrast[4 * variable + cell]);
        if (name === 'qd1consis') expect(variables.heldOut[4 * variable + cell]).toBe(1);
        expect(trained.weights).toEqual([0.25, 0.25, 0.25, 0.25]);
        expect(digits.test.get(cellText(asked.image, 0))).toBe(variables.digits[4 * variable]);
      }
    }
  });

  it('show the same images whenever they are asked', () => {
    const { examples } = testSet('d1consis');
    expect(rowOf(examples, 3, 'a')).toEqual(rowOf(examples, 3, 'b'));
    expect(rowOf(examples, 0).image).not.toEqual(rowOf(examples, 1).image);
  });
});

describe('counterfactuals', () => {
  const changed = (kind: 'tag_swap' | 'entity_swap' | 'unseen_tag', variable: number) => {
    const buffers = allocateFields(training.fields, 2);
    data.counterfactuals!.fill(kind, variable, 1, buffers);
    return {
      image: (buffers['image'] as Float32Array).subarray(height * width),
      labels: Array.from(buffers['labels']!).slice(4),
    };
  };

  it.each(['qd1consis', 'qd2incons', 'd1consis', 'd2consis'])(
    'of %s differ from the tested definition in one thing',
    (subset) => {
      const { asTraining } = testSet(`train_defs_${subset}`);
      const original = rowOf(asTraining, 0);
      const variable = asTraining.variable[0]!;
      const tag = subset.includes('d1') ? 0 : 1;
      const swapped = changed('tag_swap', variable);
      expect(swapped.labels).toEqual(original.labels);
      expect(stripOf(swapped.image)).toEqual([...writer.tags[1 - tag]!]);
      expect(swapped.image.subarray(4 * width)).toEqual(original.image.subarray(4 * width));
      const other = changed('entity_swap', variable);
      expect(other.image).toEqual(original.image);
      expect(other.labels).toEqual([...variables.otherDefined.subarray(4 * variable, 4 * variable + 4)]);
      const unseen = changed('unseen_tag', variable);
      expect(stripOf(unseen.image)).toEqual([...writer.tags[2]]);
      expect(unseen.image.subarray(4 * width)).toEqual(original.image.subarray(4 * width));
    },
  );

  it('stand in a panel beside the very definition they change', () => {
    const panel = choosePanel(data, { variablesPerSubset: 2, questions: 3 }, createStream(1, 'panel'), () =>
      createStream(1, 'x'),
    );
    expect(panel.definitionKinds).toEqual(['definition', 'tag_swap', 'entity_swap', 'unseen_tag']);
    const buffers = allocateFields(panel.fields, panel.size);
    panel.fill(0, panel.size, buffers, 0);
    const size = height * width;
    const image = (example: number): Float32Array =>
      (buffers['image'] as Float32Array).subarray(example * size, (example + 1) * size);
    panel.entities.forEach((_, entity) => {
      const swap = panel.entities.length + entity;
      expect(image(swap).subarray(4 * width)).toEqual(image(entity).subarray(4 * width));
      expect(image(swap)).not.toEqual(image(entity));
    });
    expect(panel.questionSets).toHaveLength(2 * 2 + 4 * 2);
  });

  it('are refused for a variable without a definition', () => {
    expect(() => data.counterfactuals!.fill('tag_swap', 40, 0, allocateFields(training.fields, 1))).toThrow(
      'variable 40 has no definition',
    );
  });
});

describe('a run', () => {
  it('has the same data for the same seed, other data for another, and every subset on request', () => {
    expect(buildMnist().hash).toBe(data.hash);
    expect(buildMnist({}, 1).hash).not.toBe(data.hash);
    const every = buildMnist({
      fractions: {
        qd1consis: 0.2,
        qd2incons: 0.2,
        q: 0.1,
        d1consis: 0.1,
        d2consis: 0.1,
        d3consis: 0.2,
        no_qd_baseline: 0.1,
      },
      mixture: { qd1consis: 1, qd2incons: 1, q: 1, d1consis: 1, d2consis: 1, d3consis: 1 },
    });
    expect(every.groups).toContain('q/qa');
    expect(every.groups).toContain('d3consis/definition');
    expect(every.tests.map(({ name }) => name)).toContain('no_qd_baseline');
  });

  it('names its shape', () => {
    expect(data.shape).toEqual({
      modality: 'image',
      height,
      width,
      channels: 1,
      outputSize: 11,
      queries: 4,
      answers: 'ABCDEFGHIJ_'.split(''),
      queryColumns: 2,
    });
  });
});
