import { shownTag, type Design } from '../../data/design.js';
import { totalTensor } from '../../src/store/tables/common.js';
import { type tables } from '../../src/store/tables/registry.js';
import { byTag } from '../../src/analysis/studies/alignment/cosines.js';
import type { TypedTable } from '../../src/store/typed-table.js';
import { pairings, type Pairing } from '../../src/store/tables/alignment.js';

/** Columns of the table `alignment` that entities take. */
export const entityColumns = [
  'step',
  'subset',
  'variable',
  'questions',
  'pairing',
  'tensor',
  'cosine',
  'inner',
  'norm_definition',
  'norm_questions',
] as const;

/** Columns of the table `alignment`. */
type EntityTable = TypedTable<typeof tables.alignment, (typeof entityColumns)[number]>;

/** A variable with one of its question sets at a checkpoint. */
export interface Entity {
  /** `<subset>/17/heldout` */
  readonly id: string;
  readonly subset: string;
  readonly variable: number;
  readonly questions: string;
  /** Cosine of each pairing, all tensors; NaN where there is none. */
  readonly cosine: Readonly<Record<Pairing, number>>;
  /** Cosine with the reliable tag minus that with the unreliable one, same variable and questions; NaN without both. */
  readonly gap: number;
  /** The same with definitions of other entities. */
  readonly nullGap: number;
  readonly inner: number;
  readonly normDefinition: number;
  readonly normQuestions: number;
}

const noCosines = (): Record<Pairing, number> => ({
  matched: NaN,
  tag_swap: NaN,
  entity_swap: NaN,
  unseen_tag: NaN,
  mismatched: NaN,
  tag_swap_mismatched: NaN,
  random: NaN,
});

/** Cosine with the reliable tag minus that with the unreliable one; NaN for a definition that has neither. */
function entityGap(design: Design, subset: string, asTrained: number, swapped: number): number {
  if (shownTag(design, subset) === 'other') return NaN;
  const { reliable, unreliable } = byTag(design, subset, asTrained, swapped);
  return reliable - unreliable;
}

/** The entities of a checkpoint, in the order of the table. */
export function entitiesAt(table: EntityTable, design: Design, step: number): Entity[] {
  const { inner, norm_definition: normDefinition, norm_questions: normQuestions } = table.columns;
  return rowsByEntity(table, step, totalTensor).map(({ id, subset, variable, questions, cosine, row }) => ({
    id,
    subset,
    variable,
    questions,
    cosine,
    gap: entityGap(design, subset, cosine.matched, cosine.tag_swap),
    nullGap: entityGap(design, subset, cosine.mismatched, cosine.tag_swap_mismatched),
    inner: inner[row]!,
    normDefinition: normDefinition[row]!,
    normQuestions: normQuestions[row]!,
  }));
}

/** An entity in one tensor. */
export interface EntityTensor {
  readonly tensor: string;
  readonly cosine: Readonly<Record<Pairing, number>>;
  readonly gap: number;
  /** Inner product of the matched pair. */
  readonly inner: number;
}

/** One entity of a checkpoint, tensor by tensor: inner products add up over tensors, cosines do not. */
export function entityTensors(table: EntityTable, design: Design, step: number, id: string): EntityTensor[] {
  const { inner, tensor: tensors } = table.columns;
  return tensors.values.flatMap((tensor) =>
    rowsByEntity(table, step, tensor, id).map(({ subset, cosine, row }) => ({
      tensor,
      cosine,
      gap: entityGap(design, subset, cosine.matched, cosine.tag_swap),
      inner: inner[row]!,
    })),
  );
}

interface EntityRows {
  readonly id: string;
  readonly subset: string;
  readonly variable: number;
  readonly questions: string;
  readonly cosine: Record<Pairing, number>;
  /** Row of the matched pairing. */
  row: number;
}

function rowsByEntity(
  { rows, columns }: EntityTable,
  step: number,
  tensor: string,
  only?: string,
): EntityRows[] {
  const { step: steps, subset, questions, pairing, tensor: tensors, variable, cosine } = columns;
  const wanted = tensors.values.indexOf(tensor);
  const found = new Map<string, EntityRows>();
  for (let row = 0; row < rows; row++) {
    if (steps[row] !== step || tensors.indices[row] !== wanted) continue;
    const ofSubset = subset.text(row);
    const ofQuestions = questions.text(row);
    const id = `${ofSubset}/${variable[row]}/${ofQuestions}`;
    if (only !== undefined && id !== only) continue;
    const kind = pairings.find((own) => own === pairing.text(row));
    if (kind === undefined) continue;
    let own = found.get(id);
    if (own === undefined) {
      own = {
        id,
        subset: ofSubset,
        variable: variable[row]!,
        questions: ofQuestions,
        cosine: noCosines(),
        row,
      };
      found.set(id, own);
    }
    own.cosine[kind] = cosine.values[row]!;
    if (kind === 'matched') own.row = row;
  }
  return [...found.values()];
}
