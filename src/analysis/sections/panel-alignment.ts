import { withoutEmbeddings, type Pairing, type QuestionKind } from '../../store/panel-names.js';
import { totalTensor } from '../../store/schemas.js';
import { questionStage, readTable, type RunData } from '../run-data.js';
import type { QuantitySpec, SectionSpec } from '../section.js';

/** Cosines of a panel at a checkpoint: `mean(subset, pairing, questions)` over entities, or why there is none. */
interface PanelCosines {
  readonly mean: (subset: string, pairing: Pairing, questions: QuestionKind) => number | string;
}

/** Reads the cosines of definitions with the mean gradient of questions. */
async function readCosines(run: RunData): Promise<((step: number, tensor: string) => PanelCosines) | null> {
  const columns = await readTable(run, 'alignment', [
    'step',
    'subset',
    'pairing',
    'questions',
    'tensor',
    'cosine',
  ]);
  if (columns === null) return null;
  const step = columns.column('step', 'int32').values;
  const names = ['subset', 'pairing', 'questions', 'tensor'].map((name) =>
    columns.column(name, 'dictionary'),
  );
  const cosine = columns.column('cosine', 'float64').values;
  const sums = new Map<string, { sum: number; count: number }>();
  for (let row = 0; row < columns.rows; row++) {
    if (!Number.isFinite(cosine[row]!)) continue;
    const key = [step[row]!, ...names.map(({ values, indices }) => values[indices[row]!]!)].join(' ');
    const own = sums.get(key) ?? { sum: 0, count: 0 };
    own.sum += cosine[row]!;
    own.count++;
    sums.set(key, own);
  }
  return (at, tensor) => ({
    mean: (subset, pairing, questions) => {
      const own = sums.get([at, subset, pairing, questions, tensor].join(' '));
      return own === undefined
        ? `seed ${run.info.seed}: no ${pairing} cosine of ${subset} at step ${at}`
        : own.sum / own.count;
    },
  });
}

const where = [
  { key: 'all tensors', tensor: totalTensor, stepOf: endOfQuestions },
  { key: 'without embeddings', tensor: withoutEmbeddings, stepOf: endOfQuestions },
  { key: 'untrained', tensor: totalTensor, stepOf: () => 0 },
] as const;

function endOfQuestions(run: RunData): number {
  const { firstStep, steps } = questionStage(run.info);
  return firstStep + steps;
}

const tagSwapNull = 'the same with questions of other variables';

/** Alignment of definitions with the questions about their own variable, example by example, at checkpoints. */
export const panelAlignment: SectionSpec = {
  name: 'panel-alignment',
  title:
    'Cosine of the gradient of a definition with the mean gradient of the questions about its variable (probe panel, ' +
    'end of the stage with questions)',
  quantities: [
    ...where.map(({ key }): QuantitySpec => ({
      key: `${key} swap`,
      name: `tag-swap gap of new variables, ${key}`,
      unit: '1',
      null: { kind: 'measured', name: tagSwapNull, key: `${key} swap null` },
    })),
    ...(['reliable', 'unreliable'] as const).map((tag): QuantitySpec => ({
      key: `new ${tag}`,
      name: `cosine, new variables, ${tag} tag`,
      unit: '1',
      null: { kind: 'measured', name: 'questions of other variables', key: `new ${tag} null` },
    })),
    {
      key: 'trained gap',
      name: 'tag gap of trained variables',
      unit: '1',
      null: { kind: 'measured', name: tagSwapNull, key: 'trained gap null' },
    },
  ],
  measure: async (run) => {
    const read = await readCosines(run);
    if (read === null) return null;
    const values: Record<string, number | string> = {};
    for (const { key, tensor, stepOf } of where) {
      const { mean } = read(stepOf(run), tensor);
      // The same variables under both tags: d1consis as trained against swapped, d2consis the other way round.
      values[`${key} swap`] = half(
        mean('d1consis', 'matched', 'heldout'),
        mean('d1consis', 'tag_swap', 'heldout'),
        mean('d2consis', 'tag_swap', 'heldout'),
        mean('d2consis', 'matched', 'heldout'),
      );
      values[`${key} swap null`] = half(
        mean('d1consis', 'mismatched', 'heldout'),
        mean('d1consis', 'tag_swap_mismatched', 'heldout'),
        mean('d2consis', 'tag_swap_mismatched', 'heldout'),
        mean('d2consis', 'mismatched', 'heldout'),
      );
    }
    const { mean } = read(endOfQuestions(run), totalTensor);
    const both = (first: number | string, second: number | string): number | string =>
      half(first, 0, second, 0);
    values['new reliable'] = both(
      mean('d1consis', 'matched', 'heldout'),
      mean('d2consis', 'tag_swap', 'heldout'),
    );
    values['new reliable null'] = both(
      mean('d1consis', 'mismatched', 'heldout'),
      mean('d2consis', 'tag_swap_mismatched', 'heldout'),
    );
    values['new unreliable'] = both(
      mean('d1consis', 'tag_swap', 'heldout'),
      mean('d2consis', 'matched', 'heldout'),
    );
    values['new unreliable null'] = both(
      mean('d1consis', 'tag_swap_mismatched', 'heldout'),
      mean('d2consis', 'mismatched', 'heldout'),
    );
    const difference = (pairing: Pairing): number | string =>
      half(mean('qd1consis', pairing, 'trained'), mean('qd2incons', pairing, 'trained'), 0, 0, 1);
    values['trained gap'] = difference('matched');
    values['trained gap null'] = difference('mismatched');
    return values;
  },
};

/** `weight * ((a - b) + (c - d))`, or the reason of the first that is missing. */
function half(
  a: number | string,
  b: number | string,
  c: number | string,
  d: number | string,
  weight = 0.5,
): number | string {
  for (const value of [a, b, c, d]) if (typeof value === 'string') return value;
  return weight * (Number(a) - Number(b) + (Number(c) - Number(d)));
}
