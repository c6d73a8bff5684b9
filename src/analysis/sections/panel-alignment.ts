import { withoutEmbeddings, type Pairing, type QuestionKind } from '../../store/panel-names.js';
import { totalTensor } from '../../store/schemas.js';
import { difference, meanOfTwo } from '../measures/measured.js';
import { endOfQuestions, readTable, type RunData } from '../run-data.js';
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
  { key: 'all tensors', tensor: totalTensor, stepOf: (run: RunData) => endOfQuestions(run.info) },
  {
    key: 'without embeddings',
    tensor: withoutEmbeddings,
    stepOf: (run: RunData) => endOfQuestions(run.info),
  },
  { key: 'untrained', tensor: totalTensor, stepOf: () => 0 },
] as const;

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
      const { reliable, unreliable } = ofNewVariables(read(stepOf(run), tensor), 'matched', 'tag_swap');
      const others = ofNewVariables(read(stepOf(run), tensor), 'mismatched', 'tag_swap_mismatched');
      values[`${key} swap`] = difference(reliable, unreliable);
      values[`${key} swap null`] = difference(others.reliable, others.unreliable);
    }
    const cosines = read(endOfQuestions(run.info), totalTensor);
    const own = ofNewVariables(cosines, 'matched', 'tag_swap');
    const others = ofNewVariables(cosines, 'mismatched', 'tag_swap_mismatched');
    for (const tag of ['reliable', 'unreliable'] as const) {
      values[`new ${tag}`] = own[tag];
      values[`new ${tag} null`] = others[tag];
    }
    const gap = (pairing: Pairing): number | string =>
      difference(
        cosines.mean('qd1consis', pairing, 'trained'),
        cosines.mean('qd2incons', pairing, 'trained'),
      );
    values['trained gap'] = gap('matched');
    values['trained gap null'] = gap('mismatched');
    return values;
  },
};

/**
 * Cosines of the same new variables under both tags: d1consis as trained and swapped, d2consis the other way round.
 *
 * @param asTrained pairing of definitions with their own tag
 * @param swapped the same with the other tag
 */
function ofNewVariables(
  { mean }: PanelCosines,
  asTrained: Pairing,
  swapped: Pairing,
): { reliable: number | string; unreliable: number | string } {
  return {
    reliable: meanOfTwo(mean('d1consis', asTrained, 'heldout'), mean('d2consis', swapped, 'heldout')),
    unreliable: meanOfTwo(mean('d1consis', swapped, 'heldout'), mean('d2consis', asTrained, 'heldout')),
  };
}
