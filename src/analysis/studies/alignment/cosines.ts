import { newSubsets, shownTag, type Design } from '../../../../data/design.js';
import { designOf } from '../../../../data/internalization-design.js';
import { stageRoles } from '../../../../data/stage-roles.js';
import type { Pairing } from '../../../store/tables/alignment.js';
import type { QuestionKind } from '../../../store/tables/common.js';
import { tables } from '../../../store/tables/registry.js';
import type { TypedTable } from '../../../store/typed-table.js';
import { noCounterfactuals } from '../../counterfactuals.js';
import { readTable, type RunData } from '../../run-data.js';

/** Definition and questions of one entity: what the table `alignment` says of a pairing, for one tensor or several. */
interface Pair {
  readonly inner: number;
  readonly definition2: number;
  readonly questions2: number;
}

/** Where in the table to look for cosines of one tensor. */
export interface TensorPlace {
  /** Updates before the checkpoint. */
  readonly step: number;
  /** A tensor, or one of the sums that the table holds. */
  readonly tensor: string;
  readonly questions: QuestionKind;
}

/** Where in the table to look. */
export interface AlignmentPlace {
  /** Updates before the checkpoint. */
  readonly step: number;
  /** Tensors whose inner products and squared norms are added up; a sum of the table counts as one. */
  readonly tensors: readonly string[];
  readonly questions: QuestionKind;
}

/** Cosines of definitions and questions, entity by entity, of one run. */
interface EntityCosines<Place> {
  /** Of the run. */
  readonly design: Design;
  /** By variable; variables without a direction are left out. */
  cosines(place: Place, subset: string, pairing: Pairing): ReadonlyMap<number, number>;
  /** Whether the table holds a pairing at all: without counterfactual definitions a panel has none of theirs. */
  readonly has: (pairing: Pairing) => boolean;
}

/** Alignment of a panel's definitions with questions, of one run. */
export interface PanelAlignment extends EntityCosines<AlignmentPlace> {
  /** Checkpoints, ascending. */
  readonly steps: readonly number[];
  /** Tensors of the model in their order, without sums. */
  readonly tensors: readonly string[];
  /**
   * For pairings with several definitions of one tensor or sum it is the mean of their cosines; for several tensors
   * added up, which the table does not hold as cosines, their mean inner product over the mean norms.
   */
  cosines(place: AlignmentPlace, subset: string, pairing: Pairing): ReadonlyMap<number, number>;
}

/** The same from the columns of {@link cosineColumns} alone, one tensor or sum at a time. */
export interface PanelCosines extends EntityCosines<TensorPlace> {
  /** Checkpoints, ascending. */
  readonly steps: readonly number[];
  /** Tensors and sums of the table. */
  readonly tensors: readonly string[];
  /** Subsets of the table. */
  readonly subsets: readonly string[];
}

/** Columns of the table `alignment` that {@link panelCosines} takes. */
export const cosineColumns = [
  'step',
  'subset',
  'variable',
  'questions',
  'pairing',
  'tensor',
  'cosine',
] as const;

type CosineTable = TypedTable<typeof tables.alignment, (typeof cosineColumns)[number]>;

/** Cosines of the table `alignment`. */
export function panelCosines(table: CosineTable, design: Design): PanelCosines {
  const { steps, rowsOf, has } = alignmentRows(table);
  const { tensor, subset, variable, cosine } = table.columns;
  return {
    design,
    steps,
    tensors: tensor.values,
    subsets: subset.values,
    has,
    cosines: (place, ofSubset, pairing) => {
      const found = new Map<number, number>();
      for (const row of rowsOf(place, ofSubset, pairing)) {
        if (Number.isFinite(cosine.values[row]!)) found.set(variable[row]!, cosine.values[row]!);
      }
      return found;
    },
  };
}

/** Rows of a checkpoint, tensor, question kind, subset and pairing, in the order of the table. */
function alignmentRows(table: CosineTable) {
  const { step, subset, questions, pairing, tensor } = table.columns;
  const steps = [...new Set(step)].toSorted((a, b) => a - b);
  const stepPlace = new Map(steps.map((own, i) => [own, i]));
  const keys = [subset, questions, pairing, tensor];
  const cells = keys.reduce((product, { values }) => product * values.length, steps.length);
  // Rows sorted by cell, made when the first are asked for: tables of a long run have a million of them.
  let sorted: { readonly starts: Int32Array; readonly rows: Int32Array } | null = null;
  const rowsOf = (place: TensorPlace, ofSubset: string, ofPairing: Pairing): Int32Array => {
    const first = stepPlace.get(place.step) ?? -1;
    const names = [ofSubset, place.questions, ofPairing, place.tensor];
    const places = keys.map(({ values }, i) => values.indexOf(names[i]!));
    if (first < 0 || places.some((own) => own < 0)) return new Int32Array();
    sorted ??= sortByCell(table.rows, cells, (row) => {
      let cell = stepPlace.get(step[row]!)!;
      for (const { values, indices } of keys) cell = cell * values.length + indices[row]!;
      return cell;
    });
    const cell = keys.reduce((own, { values }, i) => own * values.length + places[i]!, first);
    return sorted.rows.subarray(sorted.starts[cell], sorted.starts[cell + 1]);
  };
  const has = (own: Pairing): boolean => pairing.indices.includes(pairing.values.indexOf(own));
  return { steps, rowsOf, has };
}

function sortByCell(count: number, cells: number, cellOf: (row: number) => number) {
  const cell = Int32Array.from({ length: count }, (_, row) => cellOf(row));
  const starts = new Int32Array(cells + 1);
  for (const own of cell) starts[own + 1]!++;
  for (let i = 0; i < cells; i++) starts[i + 1]! += starts[i]!;
  const [next, rows] = [starts.slice(), new Int32Array(count)];
  for (let row = 0; row < count; row++) rows[next[cell[row]!]!++] = row;
  return { starts, rows };
}

/** Reads the table `alignment`; null for a run that has not been probed. */
export async function readPanelAlignment(run: RunData): Promise<PanelAlignment | null> {
  const table = await readTable(run, tables.alignment, [
    ...cosineColumns,
    'inner',
    'norm_definition',
    'norm_questions',
  ]);
  if (table === null) return null;
  const { variable, inner, norm_definition: definition, norm_questions: questions } = table.columns;
  const { steps, rowsOf } = alignmentRows(table);
  const single = panelCosines(table, designOf(run.info));
  const sums = new Set(['total', 'without_embeddings']);
  return {
    steps,
    design: single.design,
    has: single.has,
    tensors: run.info.parameters.map(({ tensor }) => tensor).filter((tensor) => !sums.has(tensor)),
    cosines: ({ tensors, ...place }, subset, pairing) => {
      const [first] = tensors;
      if (first !== undefined && tensors.length === 1) {
        return single.cosines({ ...place, tensor: first }, subset, pairing);
      }
      const pairs = new Map<number, Pair>();
      for (const tensor of tensors) {
        for (const row of rowsOf({ ...place, tensor }, subset, pairing)) {
          const before = pairs.get(variable[row]!) ?? { inner: 0, definition2: 0, questions2: 0 };
          pairs.set(variable[row]!, {
            inner: before.inner + inner[row]!,
            definition2: before.definition2 + definition[row]! ** 2,
            questions2: before.questions2 + questions[row]! ** 2,
          });
        }
      }
      const cosines = new Map<number, number>();
      for (const [own, pair] of pairs) {
        const norms = Math.sqrt(pair.definition2 * pair.questions2);
        if (norms > 0) cosines.set(own, pair.inner / norms);
      }
      return cosines;
    },
  };
}

/** What goes with each of the two tags. */
export interface ByTag<T> {
  readonly reliable: T;
  readonly unreliable: T;
}

/**
 * Of the definitions of a subset as trained and with the tag swapped: which shows the reliable tag and which the
 * unreliable one. A new tag counts as the reliable one.
 */
export function byTag<T>(design: Design, subset: string, asTrained: T, swapped: T): ByTag<T> {
  return shownTag(design, subset) === 'unreliable'
    ? { reliable: swapped, unreliable: asTrained }
    : { reliable: asTrained, unreliable: swapped };
}

/**
 * Cosines of the new variables with either tag: those defined with the reliable tag as trained and swapped, those with the
 * unreliable one the other way round.
 *
 * @param asTrained pairing of definitions with the tag that they were trained with
 * @param swapped the same with the other tag
 */
export function ofNewVariables<Place>(
  alignment: EntityCosines<Place>,
  place: Place,
  asTrained: Pairing = 'matched',
  swapped: Pairing = 'tag_swap',
): ByTag<ReadonlyMap<number, number>> {
  const { design } = alignment;
  const shows = (tag: keyof ByTag<Pairing>): ReadonlyMap<number, number> =>
    new Map(
      newSubsets(design).flatMap((subset) => [
        ...alignment.cosines(place, subset, byTag(design, subset, asTrained, swapped)[tag]),
      ]),
    );
  return { reliable: shows('reliable'), unreliable: shows('unreliable') };
}

/** Reliable minus unreliable of the entities that both have; the reason without any. */
function differencesByEntity<Place>(
  alignment: EntityCosines<Place>,
  { reliable: a, unreliable: b }: ByTag<ReadonlyMap<number, number>>,
): number[] | string {
  const found = [...a].flatMap(([entity, value]) => {
    const other = b.get(entity);
    return other === undefined ? [] : [value - other];
  });
  if (found.length > 0) return found;
  return alignment.has('tag_swap') ? 'no entity has both gradients' : noCounterfactuals('tag_swap');
}

/** The values of entities; the reason without any. */
export function valuesByEntity(values: ReadonlyMap<number, number>): number[] | string {
  return values.size === 0 ? 'no entity has a gradient' : [...values.values()];
}

/** Mean over entities; NaN where there is none. */
export function meanOverEntities(values: readonly number[] | string): number {
  if (typeof values === 'string') return NaN;
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** Tag-swap gap of the new variables: cosine with the reliable tag minus that with the other, entity by entity. */
export function tagSwapGap<Place>(alignment: EntityCosines<Place>, place: Place): number[] | string {
  return differencesByEntity(alignment, ofNewVariables(alignment, place));
}

/**
 * The same with the definitions of the other variables of the subset, whose cosines are averaged: what the tag does to
 * any questions.
 */
export function tagSwapNull<Place>(alignment: EntityCosines<Place>, place: Place): number[] | string {
  return differencesByEntity(
    alignment,
    ofNewVariables(alignment, place, 'mismatched', 'tag_swap_mismatched'),
  );
}

/** Where new variables are trained on by the end of the stage with questions. */
export function jointNotes({ info }: RunData): string[] {
  return stageRoles(info).joint
    ? ['Joint training: the definitions of "new" variables have been trained on when this is measured.']
    : [];
}
