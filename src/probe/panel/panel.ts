import type {
  CounterfactualKind,
  ExampleSet,
  ExperimentData,
  FieldBuffers,
  FieldSpecs,
} from '../../../data/experiment.js';
import type { ExamplePiece } from '../../../data/pieces.js';
import type { RandomStream } from '../../../data/random/streams.js';
import { questionKinds, type DefinitionKind, type QuestionKind } from '../../store/tables/common.js';

export interface PanelEntity {
  readonly subset: string;
  readonly variable: number;
}

/** Questions of one kind about one entity: `size` examples, the same number in every set of a panel. */
export interface QuestionSet {
  readonly entity: number;
  readonly kind: QuestionKind;
}

/**
 * A fixed choice of variables whose gradients are measured at checkpoints. Its examples come in the order: definitions
 * kind after kind, entity after entity; then questions set after set.
 */
export interface Panel {
  readonly entities: readonly PanelEntity[];
  /** Kinds of definitions, `definition` first. */
  readonly definitionKinds: readonly DefinitionKind[];
  readonly questionSets: readonly QuestionSet[];
  /** Questions of a set. */
  readonly questionsPerSet: number;
  readonly fields: FieldSpecs;
  /** Examples in all. */
  readonly size: number;
  /** Definitions among them; they come first. */
  readonly definitions: number;
  /** Writes examples `from <= i < to` as examples `first`, `first + 1`, ... of the buffers. */
  fill(from: number, to: number, buffers: FieldBuffers, first: number): void;
  /** What an example says, piece by piece; null where the experiment does not tell. */
  pieces(example: number): readonly ExamplePiece[] | null;
}

/** What an example of a panel is. */
export interface PanelMember {
  /** Number of the entity. */
  readonly entity: number;
  readonly role: DefinitionKind | QuestionKind;
}

/** The examples of a panel, in their order. */
export function panelExamples({
  entities,
  definitionKinds,
  questionSets,
  questionsPerSet,
}: Pick<Panel, 'entities' | 'definitionKinds' | 'questionSets' | 'questionsPerSet'>): PanelMember[] {
  const definitions = definitionKinds.flatMap((role) => entities.map((_, entity) => ({ entity, role })));
  const questions = questionSets.flatMap(({ entity, kind }) =>
    Array.from({ length: questionsPerSet }, () => ({ entity, role: kind })),
  );
  return [...definitions, ...questions];
}

export interface PanelOptions {
  /** Variables of each subset; fewer where a subset has fewer. */
  readonly variablesPerSubset: number;
  /** Most questions of a set. */
  readonly questions: number;
  /** Which questions of a variable; both kinds by default. */
  readonly kinds?: readonly QuestionKind[];
}

/** Where an example of a panel comes from. */
type Source =
  | { readonly kind: 'row'; readonly set: ExampleSet; readonly row: number }
  | { readonly kind: CounterfactualKind; readonly variable: number };

/**
 * Chooses a panel among the variables that have definitions: those of X1 with trained and held-out questions, those of
 * X2 with held-out ones.
 *
 * @param random for the choice of variables and questions, and for what differs between two sights of a row
 */
export function choosePanel(
  data: ExperimentData,
  options: PanelOptions,
  random: RandomStream,
  noise: () => RandomStream,
): Panel {
  const trained = new Map(data.tests.map(({ name, asTraining }) => [name, asTraining]));
  const definitionKinds: DefinitionKind[] = ['definition', ...(data.counterfactuals?.kinds ?? [])];
  const entities: PanelEntity[] = [];
  const rowsOf: {
    definitions: ExampleSet;
    definition: number;
    questions: ExampleSet | null;
    trained: number[];
    test: ExampleSet;
    heldout: number[];
  }[] = [];
  for (const { subset, asTraining } of data.tests.filter(({ name, subset: own }) => name === own)) {
    // Training rows as they are tested: where a row looks different at every sight, these show one that stays, the
    // one that counterfactuals differ from.
    const definitionSet = trained.get(`train_defs_${subset}`);
    if (definitionSet === undefined) continue;
    const questionSet = trained.get(`train_questions_${subset}`) ?? null;
    const definitions = rowsByVariable(definitionSet);
    const questions = questionSet === null ? new Map<number, number[]>() : rowsByVariable(questionSet);
    const heldout = rowsByVariable(asTraining);
    const variables = [...definitions.keys()].toSorted((a, b) => a - b);
    const order = random.permutation(variables.length);
    const chosen = Array.from(order.subarray(0, options.variablesPerSubset), (i) => variables[i]!);
    for (const variable of chosen.toSorted((a, b) => a - b)) {
      entities.push({ subset, variable });
      rowsOf.push({
        definitions: definitionSet,
        definition: definitions.get(variable)![0]!,
        questions: questionSet,
        trained: shuffled(questions.get(variable) ?? [], random),
        heldout: shuffled(heldout.get(variable) ?? [], random),
        test: asTraining,
      });
    }
  }
  const counts = rowsOf
    .flatMap(({ trained, heldout }) => [trained.length, heldout.length])
    .filter((count) => count > 0);
  const questionsPerSet = Math.min(options.questions, ...counts);
  const sources: Source[] = definitionKinds.flatMap((kind) =>
    entities.map(({ variable }, entity): Source => {
      if (kind !== 'definition') return { kind, variable };
      const { definitions, definition } = rowsOf[entity]!;
      return { kind: 'row', set: definitions, row: definition };
    }),
  );
  const questionSets: QuestionSet[] = [];
  for (const kind of options.kinds ?? questionKinds) {
    rowsOf.forEach((own, entity) => {
      if (own[kind].length === 0) return;
      const set = kind === 'heldout' ? own.test : own.questions!;
      questionSets.push({ entity, kind });
      for (const row of own[kind].slice(0, questionsPerSet)) sources.push({ kind: 'row', set, row });
    });
  }
  return {
    entities,
    definitionKinds,
    questionSets,
    questionsPerSet,
    fields: data.tests[0]!.asTraining.fields,
    size: sources.length,
    definitions: definitionKinds.length * entities.length,
    fill: (from, to, buffers, first) => {
      sources.slice(from, to).forEach((source, i) => {
        const slot = first + i;
        if (source.kind === 'row') source.set.fill([source.row], slot, buffers, noise);
        else data.counterfactuals!.fill(source.kind, source.variable, slot, buffers);
      });
    },
    pieces: (example) => {
      const source = sources[example]!;
      if (source.kind === 'row') return source.set.pieces?.(source.row) ?? null;
      return data.counterfactuals!.pieces?.(source.kind, source.variable) ?? null;
    },
  };
}

/** Rows of each variable. */
function rowsByVariable({ size, variable }: ExampleSet): Map<number, number[]> {
  const rows = new Map<number, number[]>();
  for (let row = 0; row < size; row++) {
    const own = rows.get(variable[row]!);
    if (own === undefined) rows.set(variable[row]!, [row]);
    else own.push(row);
  }
  return rows;
}

function shuffled(rows: readonly number[], random: RandomStream): number[] {
  return Array.from(random.permutation(rows.length), (i) => rows[i]!);
}
