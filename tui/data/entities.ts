import type { ColumnSet } from '../../src/store/column-views.js';
import { totalTensor } from '../../src/store/schemas.js';
import { pairings, type Pairing } from '../../src/store/panel-names.js';

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

/** A variable with one of its question sets at a checkpoint. */
export interface Entity {
  /** `d1consis/17/heldout` */
  readonly id: string;
  readonly subset: string;
  readonly variable: number;
  readonly questions: string;
  /** Cosine of each pairing, all tensors; NaN where there is none. */
  readonly cosine: Readonly<Record<Pairing, number>>;
  /** Cosine with the reliable tag minus that with the unreliable one, same variable and questions. */
  readonly gap: number;
  /** The same with definitions of other entities. */
  readonly nullGap: number;
  readonly inner: number;
  readonly normDefinition: number;
  readonly normQuestions: number;
}

/** Subsets whose own definitions carry the unreliable tag: swapping gives them the reliable one. */
const unreliable: ReadonlySet<string> = new Set(['qd2incons', 'd2consis']);

const noCosines = (): Record<Pairing, number> => ({
  matched: NaN,
  tag_swap: NaN,
  entity_swap: NaN,
  unseen_tag: NaN,
  mismatched: NaN,
  tag_swap_mismatched: NaN,
  random: NaN,
});

/** Gap of the tags of one entity, whichever tag its own definition has. */
export function entityGap(subset: string, asTrained: number, swapped: number): number {
  return unreliable.has(subset) ? swapped - asTrained : asTrained - swapped;
}

/** The entities of a checkpoint, in the order of the table. */
export function entitiesAt(columns: ColumnSet, step: number): Entity[] {
  return rowsByEntity(columns, step, totalTensor).map(({ id, subset, variable, questions, cosine, row }) => ({
    id,
    subset,
    variable,
    questions,
    cosine,
    gap: entityGap(subset, cosine.matched, cosine.tag_swap),
    nullGap: entityGap(subset, cosine.mismatched, cosine.tag_swap_mismatched),
    inner: columns.column('inner', 'float64').values[row]!,
    normDefinition: columns.column('norm_definition', 'float64').values[row]!,
    normQuestions: columns.column('norm_questions', 'float64').values[row]!,
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
export function entityTensors(columns: ColumnSet, step: number, id: string): EntityTensor[] {
  const tensors = columns.column('tensor', 'dictionary').values;
  const inner = columns.column('inner', 'float64').values;
  return tensors.flatMap((tensor) =>
    rowsByEntity(columns, step, tensor, id).map(({ subset, cosine, row }) => ({
      tensor,
      cosine,
      gap: entityGap(subset, cosine.matched, cosine.tag_swap),
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

function rowsByEntity(columns: ColumnSet, step: number, tensor: string, only?: string): EntityRows[] {
  const steps = columns.column('step', 'int32').values;
  const [subset, questions, pairing, tensors] = (['subset', 'questions', 'pairing', 'tensor'] as const).map(
    (name) => columns.column(name, 'dictionary'),
  );
  const variable = columns.column('variable', 'int32').values;
  const cosine = columns.column('cosine', 'float64').values;
  const wanted = tensors!.values.indexOf(tensor);
  const found = new Map<string, EntityRows>();
  for (let row = 0; row < columns.rows; row++) {
    if (steps[row] !== step || tensors!.indices[row] !== wanted) continue;
    const ofSubset = subset!.values[subset!.indices[row]!]!;
    const ofQuestions = questions!.values[questions!.indices[row]!]!;
    const id = `${ofSubset}/${variable[row]}/${ofQuestions}`;
    if (only !== undefined && id !== only) continue;
    const kind = pairings.find((own) => own === pairing!.values[pairing!.indices[row]!]);
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
    own.cosine[kind] = cosine[row]!;
    if (kind === 'matched') own.row = row;
  }
  return [...found.values()];
}
