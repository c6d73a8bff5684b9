import type { Design, SubsetPair } from '../../../../data/design.js';
import { designOf } from '../../../../data/internalization-design.js';
import { endOfQuestions } from '../../../../data/stage-roles.js';
import { totalTensor, type QuestionKind } from '../../../store/tables/common.js';
import { tables } from '../../../store/tables/registry.js';
import type { RunValue } from '../../quantity.js';
import { readTable, type RunData } from '../../run-data.js';
import type { QuantitySpec, RunValues, SectionSpec } from '../../section.js';
import { jointNotes } from './cosines.js';

/** Definitions of two subsets, and questions about the variables of each. */
interface Comparison {
  readonly id: string;
  readonly label: string;
  readonly short: string;
  readonly pair: SubsetPair;
  readonly questions: QuestionKind;
}

/** Those of the published code that a panel holds; its control, with the questions of exchanged variables, it does not. */
const comparisonsOf = ({ strong, weak }: Design): Comparison[] => [
  { id: 'new', label: 'new variables, held-out questions', short: 'new', pair: strong, questions: 'heldout' },
  {
    id: 'trained',
    label: 'trained variables, trained questions',
    short: 'trained',
    pair: weak,
    questions: 'trained',
  },
  {
    id: 'heldOut',
    label: 'trained variables, held-out questions',
    short: 'held out',
    pair: weak,
    questions: 'heldout',
  },
];

const otherVariables = 'definitions and questions of different variables of the subset';

/**
 * The comparison of four sets of gradients, definitions and questions of two subsets, as in the published code, whose names are
 * given in brackets: means over all pairs of a definition with one question about its variable.
 */
export const fourSets: SectionSpec = {
  id: 'fourSets',
  title:
    'Four sets: gradients of single definitions against those of single questions about their variables, with the names of the published code (probe panel, end of the stage with questions)',
  probe: 'alignment',
  quantities: { ofDesign: (design) => comparisonsOf(design).flatMap(quantitiesOf) },
  notes: (_, run) => [
    "Of the panel's variables and questions, not of all; all tensors, no preconditioning. Not measured, because tables hold products and no " +
      'coordinates: norms L1 and Linf, and cosines of questions to the mean of all four sets (eval/grad_cosine_similarity). The control with ' +
      'questions of exchanged variables is not in the panel; the null takes its place.',
    ...jointNotes(run),
  ],
  measure: async (run) => {
    const sets = await readSets(run);
    if (sets === null) return null;
    return Object.assign({}, ...comparisonsOf(designOf(run.info)).map((own) => measure(sets, own)));
  },
};

function quantitiesOf({ id, label, short, pair }: Omit<Comparison, 'questions'>): QuantitySpec[] {
  const measured = (key: string) => ({ kind: 'measured', label: otherVariables, key }) as const;
  const ofSet = (subset: string, what: string, words: string, alias: string, unit: string): QuantitySpec => ({
    id: `${id}.${subset}.${what}`,
    label: `${label}: ${words}, ${subset} (eval/grad_mean_${alias})`,
    shortLabel: `${short}: ${words}, ${subset}`,
    unit,
    null: what.startsWith('norm') ? null : measured(`${id}.${subset}.${what}.null`),
  });
  const unit = 'nats/parameter';
  return [
    ...pair.flatMap((subset) => [
      ofSet(subset, 'cosine', 'cosine', `sim_${subset}_cos`, '1'),
      ofSet(subset, 'distance', 'distance', `dist_${subset}`, unit),
      ofSet(subset, 'normDefinitions', 'norm of a definition', `l2_d_norm_${subset}`, unit),
      ofSet(subset, 'normQuestions', 'norm of a question', `l2_q_norm_${subset}`, unit),
    ]),
    {
      id: `${id}.cosineGap`,
      label: `${label}: cosine, ${pair.join(' - ')}`,
      shortLabel: `${short}: cosine, ${pair.join(' - ')}`,
      unit: '1',
      null: measured(`${id}.cosineGap.null`),
    },
    {
      id: `${id}.variance`,
      label: `${label}: variance of the gradients of all four sets (eval/grad_variance)`,
      shortLabel: `${short}: variance of the four sets`,
      unit: 'nats^2/parameter^2',
      null: null,
    },
  ];
}

/** A definition or a question, with its squared norm. */
interface Example {
  readonly subset: string;
  readonly variable: number;
  readonly norm2: number;
}

/** Gradients of a panel at a checkpoint, by their products. */
interface Sets {
  /** With the inner products with every question, by its number. */
  readonly definitions: readonly (Example & { readonly inner: Float64Array })[];
  readonly questions: readonly (Example & { readonly number: number; readonly kind: string })[];
  /** Inner product of the sums of the gradients of all definitions, or all questions, of two subsets. */
  sumProduct(role: string, a: string, b: string): number;
}

async function readSets(run: RunData): Promise<Sets | null> {
  const end = endOfQuestions(run.info);
  const gram = await readTable(run, tables.panel_gram, [
    'step',
    'tensor',
    'subset',
    'variable',
    'definition',
    'norm2',
    'inner',
  ]);
  const asked = await readTable(run, tables.panel_questions, [
    'step',
    'tensor',
    'question',
    'subset',
    'variable',
    'questions',
    'norm2',
  ]);
  const entities = await readTable(run, tables.entity_gram, [
    'step',
    'tensor',
    'vector',
    'subset',
    'role',
    'inner',
  ]);
  if (gram === null || asked === null || entities === null) return null;
  const rowsAt = ({
    rows,
    columns: { step, tensor },
  }: {
    readonly rows: number;
    readonly columns: {
      readonly step: Int32Array;
      readonly tensor: { readonly text: (row: number) => string };
    };
  }): number[] =>
    Array.from({ length: rows }, (_, row) => row).filter(
      (row) => step[row] === end && tensor.text(row) === totalTensor,
    );
  const questions = rowsAt(asked).map((row) => ({
    number: asked.columns.question[row]!,
    subset: asked.columns.subset.text(row),
    variable: asked.columns.variable[row]!,
    kind: asked.columns.questions.text(row),
    norm2: asked.columns.norm2[row]!,
  }));
  const perSet = Math.max(
    0,
    ...countBy(questions, ({ subset, variable, kind }) => `${subset}/${variable}/${kind}`),
  );
  const vectors = rowsAt(entities);
  const { columns } = entities;
  return {
    questions,
    definitions: rowsAt(gram)
      .filter((row) => gram.columns.definition.text(row) === 'definition')
      .map((row) => ({
        subset: gram.columns.subset.text(row),
        variable: gram.columns.variable[row]!,
        norm2: gram.columns.norm2[row]!,
        inner: gram.columns.inner.row(row),
      })),
    sumProduct(role, a, b) {
      const of = (subset: string): number[] =>
        vectors.filter((row) => columns.role.text(row) === role && columns.subset.text(row) === subset);
      const [left, right] = [of(a), of(b)];
      let sum = 0;
      for (const row of left) {
        const products = columns.inner.row(row);
        for (const other of right) sum += products[columns.vector[other]!]!;
      }
      // Of questions the table has the mean of each set.
      return role === 'definition' ? sum : sum * perSet ** 2;
    },
  };
}

function countBy<T>(values: readonly T[], keyOf: (value: T) => string): number[] {
  const counts = new Map<string, number>();
  for (const value of values) counts.set(keyOf(value), (counts.get(keyOf(value)) ?? 0) + 1);
  return [...counts.values()];
}

const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;

function measure(sets: Sets, comparison: Comparison): RunValues {
  const { id, pair, questions: kind } = comparison;
  const values: Record<string, RunValue> = {};
  const gaps = { matched: [] as number[], mismatched: [] as number[] };
  for (const subset of pair) {
    const definitions = sets.definitions.filter((own) => own.subset === subset);
    const questions = sets.questions.filter((own) => own.subset === subset && own.kind === kind);
    if (definitions.length === 0 || questions.length === 0) {
      const reason = `the panel has no ${definitions.length === 0 ? 'definition' : `${kind} question`} of ${subset}`;
      for (const { id: key } of quantitiesOf(comparison)) {
        values[key] = reason;
        values[`${key}.null`] = reason;
      }
      return values;
    }
    const ofPairs = (isMatched: boolean) => {
      const cosines: number[] = [];
      const distances: number[] = [];
      for (const { variable, norm2, inner } of definitions) {
        const own = { cosines: [] as number[], distances: [] as number[] };
        for (const question of questions) {
          if ((question.variable === variable) !== isMatched) continue;
          const product = inner[question.number]!;
          const norms = Math.sqrt(norm2 * question.norm2);
          if (norms > 0) own.cosines.push(product / norms);
          // Rounding can make nearly equal gradients closer than equal ones.
          own.distances.push(Math.sqrt(Math.max(0, norm2 + question.norm2 - 2 * product)));
        }
        if (own.cosines.length > 0) cosines.push(mean(own.cosines));
        if (own.distances.length > 0) distances.push(mean(own.distances));
      }
      return { cosines, distances };
    };
    const [matched, mismatched] = [ofPairs(true), ofPairs(false)];
    const key = `${id}.${subset}`;
    values[`${key}.cosine`] = matched.cosines;
    values[`${key}.cosine.null`] = mismatched.cosines;
    values[`${key}.distance`] = matched.distances;
    values[`${key}.distance.null`] = mismatched.distances;
    values[`${key}.normDefinitions`] = definitions.map(({ norm2 }) => Math.sqrt(norm2));
    values[`${key}.normQuestions`] = questions.map(({ norm2 }) => Math.sqrt(norm2));
    gaps.matched.push(mean(matched.cosines));
    gaps.mismatched.push(mean(mismatched.cosines));
  }
  values[`${id}.cosineGap`] = gaps.matched[0]! - gaps.matched[1]!;
  values[`${id}.cosineGap.null`] = gaps.mismatched[0]! - gaps.mismatched[1]!;
  values[`${id}.variance`] = varianceOf(sets, pair, kind);
  return values;
}

/** `(1/N) sum |g_i|^2 - |(1/N) sum g_i|^2` over the N rows of the four sets. */
function varianceOf(sets: Sets, pair: SubsetPair, kind: QuestionKind): number {
  const inPair = ({ subset }: Example): boolean => pair.includes(subset);
  const definitions = sets.definitions.filter(inPair);
  const questions = sets.questions.filter((own) => inPair(own) && own.kind === kind);
  const count = definitions.length + questions.length;
  let sum2 = 0;
  for (const { inner } of definitions) for (const { number } of questions) sum2 += 2 * inner[number]!;
  for (const a of pair)
    for (const b of pair) sum2 += sets.sumProduct('definition', a, b) + sets.sumProduct(kind, a, b);
  const norms2 = [...definitions, ...questions].reduce((sum, { norm2 }) => sum + norm2, 0);
  return norms2 / count - sum2 / count ** 2;
}
