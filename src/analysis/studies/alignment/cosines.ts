import { newSubsets, shownTag, type Design, type ShownTag } from '../../../../data/design.js';
import { designOf } from '../../../../data/internalization-design.js';
import type { Pairing, QuestionKind } from '../../../store/panel-names.js';
import { tables } from '../../../store/tables/registry.js';
import { readTable, type RunData } from '../../run-data.js';
import { newAreTrained } from '../../stages.js';

/** Definition and questions of one entity: what the table `alignment` says of a pairing, for one tensor or several. */
interface Pair {
  readonly inner: number;
  readonly definition2: number;
  readonly questions2: number;
}

/** Where in the table to look. */
export interface AlignmentPlace {
  /** Updates before the checkpoint. */
  readonly step: number;
  /** Tensors whose inner products and squared norms are added up; a sum of the table counts as one. */
  readonly tensors: readonly string[];
  readonly questions: QuestionKind;
}

/** Alignment of a panel's definitions with questions, of one run. */
export interface PanelAlignment {
  /** Checkpoints, ascending. */
  readonly steps: readonly number[];
  /** Tensors of the model in their order, without sums. */
  readonly tensors: readonly string[];
  /** Of the run. */
  readonly design: Design;
  /**
   * Cosines by variable; variables without a direction are left out. For pairings with several definitions of one
   * tensor or sum it is the mean of their cosines; for several tensors added up, which the table does not hold as
   * cosines, their mean inner product over the mean norms.
   */
  cosines(place: AlignmentPlace, subset: string, pairing: Pairing): ReadonlyMap<number, number>;
}

const columnNames = [
  'step',
  'subset',
  'variable',
  'pairing',
  'questions',
  'tensor',
  'inner',
  'norm_definition',
  'norm_questions',
  'cosine',
] as const;

/** Reads the table `alignment`; null for a run that has not been probed. */
export async function readPanelAlignment(run: RunData): Promise<PanelAlignment | null> {
  const table = await readTable(run, tables.alignment, columnNames);
  if (table === null) return null;
  const { step, variable, inner, norm_definition: definition, norm_questions: questions } = table.columns;
  const cosine = table.columns.cosine.values;
  const names = (['subset', 'pairing', 'questions', 'tensor'] as const).map((name) => table.columns[name]);
  const rows = new Map<string, number[]>();
  for (let row = 0; row < table.rows; row++) {
    const key = [step[row]!, ...names.map((name) => name.text(row))].join(' ');
    const own = rows.get(key);
    if (own === undefined) rows.set(key, [row]);
    else own.push(row);
  }
  const sums = new Set(['total', 'without_embeddings']);
  return {
    steps: [...new Set(step)].toSorted((a, b) => a - b),
    design: designOf(run.info),
    tensors: run.info.parameters.map(({ tensor }) => tensor).filter((tensor) => !sums.has(tensor)),
    cosines: (place, subset, pairing) => {
      const rowsOf = (tensor: string): readonly number[] =>
        rows.get([place.step, subset, pairing, place.questions, tensor].join(' ')) ?? [];
      if (place.tensors.length === 1) {
        const found = rowsOf(place.tensors[0]!).map((row) => [variable[row]!, cosine[row]!] as const);
        return new Map(found.filter(([, value]) => Number.isFinite(value)));
      }
      const pairs = new Map<number, Pair>();
      for (const tensor of place.tensors) {
        for (const row of rowsOf(tensor)) {
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

/** Cosines of the same new variables under both tags, by variable. */
export interface BothTags {
  readonly reliable: ReadonlyMap<number, number>;
  readonly unreliable: ReadonlyMap<number, number>;
}

/**
 * New variables with either tag: those defined with the reliable tag as trained and swapped, those with an unreliable one
 * the other way round.
 *
 * @param asTrained pairing of definitions with their own tag
 * @param swapped the same with the other tag
 */
export function ofNewVariables(
  alignment: PanelAlignment,
  place: AlignmentPlace,
  asTrained: Pairing = 'matched',
  swapped: Pairing = 'tag_swap',
): BothTags {
  const { design } = alignment;
  const shows = (tag: ShownTag): ReadonlyMap<number, number> =>
    new Map(
      newSubsets(design).flatMap((subset) => [
        ...alignment.cosines(place, subset, shownTag(design, subset) === tag ? asTrained : swapped),
      ]),
    );
  return { reliable: shows('reliable'), unreliable: shows('unreliable') };
}

/** `a - b` of the entities that both have, in the order of `a`; the reason without any. */
export function differencesByEntity(
  a: ReadonlyMap<number, number>,
  b: ReadonlyMap<number, number>,
): number[] | string {
  const found = [...a].flatMap(([entity, value]) => {
    const other = b.get(entity);
    return other === undefined ? [] : [value - other];
  });
  return found.length === 0 ? 'no entity has both gradients' : found;
}

/** The values of entities; the reason without any. */
export function valuesByEntity(values: ReadonlyMap<number, number>): number[] | string {
  return values.size === 0 ? 'no entity has a gradient' : [...values.values()];
}

/** Tag-swap gap of the new variables: cosine with the reliable tag minus that with the other, entity by entity. */
export function tagSwapGap(alignment: PanelAlignment, place: AlignmentPlace): number[] | string {
  const { reliable, unreliable } = ofNewVariables(alignment, place);
  return differencesByEntity(reliable, unreliable);
}

/**
 * The same with the definitions of the other variables of the subset, whose cosines are averaged: what the tag does to
 * any questions.
 */
export function tagSwapNull(alignment: PanelAlignment, place: AlignmentPlace): number[] | string {
  const { reliable, unreliable } = ofNewVariables(alignment, place, 'mismatched', 'tag_swap_mismatched');
  return differencesByEntity(reliable, unreliable);
}

/** Where new variables are trained on by the end of the stage with questions. */
export function jointNotes({ info }: RunData): string[] {
  return newAreTrained(info)
    ? ['Joint training: the definitions of "new" variables have been trained on when this is measured.']
    : [];
}
