import type { DefinitionKind, Pairing } from '../../store/panel-names.js';
import type { Panel, QuestionSet } from './panel.js';
import type { TensorProducts } from './panel-gram.js';

/** Gradient alignment of one question set with a definition, or with several, averaged. */
export interface Alignment {
  readonly set: QuestionSet;
  readonly pairing: Pairing;
  /** Inner product of the definition's gradient with the mean gradient of the questions. */
  readonly inner: number;
  readonly normDefinition: number;
  /** Norm of the mean gradient of the questions. */
  readonly normQuestions: number;
  /** Of the definition with the mean of the questions; null where one of them is zero. */
  readonly cosine: number | null;
  /** Mean over the questions of their cosines with the definition; null where there is none. */
  readonly pairwiseCosine: number | null;
  /** Definitions averaged over. */
  readonly definitions: number;
}

/** Alignment of every question set of a panel under every pairing that the panel can express. */
export function alignmentOfPanel(panel: Panel, products: TensorProducts): Alignment[] {
  const pair = pairReader(panel, products);
  const { entities, questionSets, definitionKinds } = panel;
  const sameSubset = (a: number, b: number): boolean => entities[a]!.subset === entities[b]!.subset;
  const others = (entity: number, same: boolean): number[] =>
    entities.flatMap((_, other) => (other !== entity && sameSubset(other, entity) === same ? [other] : []));
  return questionSets.flatMap((set, index) => {
    const { entity } = set;
    const of = (pairing: Pairing, kind: DefinitionKind, whose: readonly number[]): Alignment[] => {
      if (!definitionKinds.includes(kind) || whose.length === 0) return [];
      return [
        { set, pairing, ...mean(whose.map((other) => pair(kind, other, index))), definitions: whose.length },
      ];
    };
    return [
      ...of('matched', 'definition', [entity]),
      ...of('tag_swap', 'tag_swap', [entity]),
      ...of('entity_swap', 'entity_swap', [entity]),
      ...of('unseen_tag', 'unseen_tag', [entity]),
      ...of('mismatched', 'definition', others(entity, true)),
      ...of('tag_swap_mismatched', 'tag_swap', others(entity, true)),
      ...of('random', 'definition', others(entity, false)),
    ];
  });
}

type PairValues = Pick<Alignment, 'inner' | 'normDefinition' | 'normQuestions' | 'cosine' | 'pairwiseCosine'>;

function pairReader(
  { entities, definitionKinds, questionsPerSet: size }: Panel,
  { inner, definitionNorm2, questionNorm2, setNorm2 }: TensorProducts,
): (kind: DefinitionKind, entity: number, set: number) => PairValues {
  const questions = questionNorm2.length;
  return (kind, entity, set) => {
    const definition = definitionKinds.indexOf(kind) * entities.length + entity;
    const normDefinition = Math.sqrt(definitionNorm2[definition]!);
    const normQuestions = Math.sqrt(setNorm2[set]!) / size;
    let product = 0;
    let cosines = 0;
    let counted = 0;
    for (let question = set * size; question < (set + 1) * size; question++) {
      const own = inner[definition * questions + question]!;
      product += own / size;
      const norms = normDefinition * Math.sqrt(questionNorm2[question]!);
      if (norms === 0) continue;
      cosines += own / norms;
      counted++;
    }
    const norms = normDefinition * normQuestions;
    return {
      inner: product,
      normDefinition,
      normQuestions,
      cosine: norms === 0 ? null : product / norms,
      pairwiseCosine: counted === 0 ? null : cosines / counted,
    };
  };
}

function mean(values: readonly PairValues[]): PairValues {
  const over = (pick: (value: PairValues) => number | null): number | null => {
    const present = values.map(pick).filter((value) => value !== null);
    return present.length === 0 ? null : present.reduce((sum, value) => sum + value, 0) / present.length;
  };
  return {
    inner: over(({ inner }) => inner)!,
    normDefinition: over(({ normDefinition }) => normDefinition)!,
    normQuestions: over(({ normQuestions }) => normQuestions)!,
    cosine: over(({ cosine }) => cosine),
    pairwiseCosine: over(({ pairwiseCosine }) => pairwiseCosine),
  };
}
