import { newSubsets } from '../../../../data/design.js';
import { designOf } from '../../../../data/internalization-design.js';
import { endOfQuestions } from '../../../../data/stage-roles.js';
import { readEntityPanel } from './entity-panel.js';
import { centredCosines } from '../../measures/centred.js';
import { conflictRate } from '../../measures/conflict-rate.js';
import { confusion } from '../../measures/confusion.js';
import { cosineGram } from '../../measures/cosine.js';
import { cosineOfMeans } from '../../measures/cosine-of-means.js';
import { diversity } from '../../measures/diversity.js';
import type { Gram } from '../../measures/gram.js';
import { meanInnerProduct } from '../../measures/inner-product.js';
import { examplesOf, type EntityPanel } from '../../measures/nulls/panel.js';
import { stiffness } from '../../measures/stiffness.js';
import { unbiasedCosineOfMeans } from '../../measures/unbiased-cosine-of-means.js';
import type { RunValue } from '../../quantity.js';
import { jointNotes } from './cosines.js';
import type { QuantitySpec, RunValues, SectionSpec } from '../../section.js';

const tags = ['reliable', 'unreliable'] as const;

const mismatchedPairs = 'definitions and questions of different variables';

/** The literature's measures of one Gram matrix: definitions of new variables and the questions about them. */
export const gramMeasures: SectionSpec = {
  id: 'gramMeasures',
  title:
    'Measures of one Gram matrix: definitions with either tag and mean gradients of the held-out questions, new ' +
    'variables (end of the stage with questions)',
  probe: 'alignment',
  quantities: tags.flatMap((tag): QuantitySpec[] => {
    const measured = (label: string, key: string) => ({ kind: 'measured', label, key }) as const;
    return [
      {
        id: `${tag}.inner`,
        label: `${tag} tag: inner product of matched definitions and questions`,
        shortLabel: `${tag} tag: inner product`,
        unit: 'nats^2/parameter^2',
        null: measured(mismatchedPairs, `${tag}.inner.null`),
      },
      {
        id: `${tag}.conflict`,
        label: `${tag} tag: conflict rate of matched definitions and questions`,
        shortLabel: `${tag} tag: conflict rate`,
        unit: '1',
        null: measured(mismatchedPairs, `${tag}.conflict.null`),
      },
      {
        id: `${tag}.centred`,
        label: `${tag} tag: centred cosine of matched definitions and questions`,
        shortLabel: `${tag} tag: centred cosine`,
        unit: '1',
        null: measured(mismatchedPairs, `${tag}.centred.null`),
      },
      {
        id: `${tag}.stiffness`,
        label: `${tag} tag: stiffness (sign) of definitions and questions, all pairs`,
        shortLabel: `${tag} tag: stiffness (sign)`,
        unit: '1',
        null: null,
      },
      {
        id: `${tag}.means`,
        label: `${tag} tag: cosine of the mean gradients of definitions and of questions`,
        shortLabel: `${tag} tag: cosine of means`,
        unit: '1',
        null: null,
      },
      {
        id: `${tag}.unbiased`,
        label: `${tag} tag: cosine of the mean gradients, unbiased and without matched pairs`,
        shortLabel: `${tag} tag: the same, unbiased, unmatched`,
        unit: '1',
        null: null,
      },
      {
        id: `${tag}.diversity`,
        label: `${tag} tag: N x diversity of definitions`,
        shortLabel: `${tag} tag: N x diversity`,
        unit: '1',
        null: null,
      },
      {
        id: `${tag}.confusion`,
        label: `${tag} tag: 5 % quantile of cosines among definitions`,
        shortLabel: `${tag} tag: 5 % quantile`,
        unit: '1',
        null: null,
      },
    ];
  }),
  notes: (_, run) => jointNotes(run),
  measure: async (run) => {
    const fresh = new Set(newSubsets(designOf(run.info)));
    const panel = await readEntityPanel(run, endOfQuestions(run.info), fresh);
    return panel === null ? null : Object.assign({}, ...tags.map((tag) => measure(panel, tag)));
  },
};

function measure(panel: EntityPanel<number>, tag: (typeof tags)[number]): RunValues {
  const { gram, examples } = panel;
  const definitions = examplesOf(panel, { kind: 'definition', tag });
  const questions = examplesOf(panel, { kind: 'heldout' });
  const matches = (i: number, j: number): boolean => examples[i]!.entity === examples[j]!.entity;
  const matched = { exclude: (i: number, j: number) => !matches(i, j) };
  const mismatched = { exclude: matches };
  const cosines = cosineGram(gram);
  const stiff = stiffness(gram, definitions, questions);
  const confused = typeof cosines === 'string' ? cosines : confusion(cosines, definitions);
  const spread = diversity(gram, definitions);
  const values: Record<string, RunValue> = {
    inner: meanInnerProduct(gram, definitions, questions, matched),
    'inner.null': meanInnerProduct(gram, definitions, questions, mismatched),
    conflict: conflictRate(gram, definitions, questions, matched),
    'conflict.null': conflictRate(gram, definitions, questions, mismatched),
    centred: meanCentred(gram, definitions, questions, matches),
    'centred.null': meanCentred(gram, definitions, questions, (i, j) => !matches(i, j)),
    stiffness: typeof stiff === 'string' ? stiff : stiff.sign,
    means: cosineOfMeans(gram, definitions, questions),
    unbiased: unbiasedCosineOfMeans(gram, definitions, questions, mismatched),
    diversity: typeof spread === 'string' ? spread : spread * definitions.length,
    confusion: typeof confused === 'string' ? confused : confused.lowQuantile,
  };
  return Object.fromEntries(Object.entries(values).map(([key, value]) => [`${tag}.${key}`, value]));
}

/** Mean centred cosine over the pairs that `counts` tells. */
function meanCentred(
  gram: Gram,
  rows: readonly number[],
  columns: readonly number[],
  counts: (row: number, column: number) => boolean,
): RunValue {
  const cosines = centredCosines(gram, rows, columns);
  if (typeof cosines === 'string') return cosines;
  const kept = Array.from(cosines).filter((_, cell) =>
    counts(rows[Math.floor(cell / columns.length)]!, columns[cell % columns.length]!),
  );
  if (kept.length === 0) return 'there is no pair';
  return kept.reduce((sum, value) => sum + value, 0) / kept.length;
}
