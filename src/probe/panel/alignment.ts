import type { DefinitionKind } from '../../store/tables/common.js';
import type { Pairing } from '../../store/tables/alignment.js';
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
export type AlignmentReader = (products: TensorProducts) => Alignment[];

/** A question set with the definitions that a pairing gives it. */
interface PairedSet {
  readonly set: QuestionSet;
  /** Its number in the panel. */
  readonly index: number;
  readonly pairing: Pairing;
  /** Numbers of the definitions in the panel. */
  readonly definitions: readonly number[];
}

export function alignmentReader(panel: Panel): AlignmentReader {
  const paired = pairings(panel);
  const { questionsPerSet, questionSets } = panel;
  return ({ inner, directed, definitionNorm2, questionNorm2, setNorm2 }) => {
    const normOf = definitionNorm2.map(Math.sqrt);
    // Questions without a gradient have no cosine.
    const counted = Float64Array.from(questionSets, (_, set) => {
      let count = 0;
      for (let q = set * questionsPerSet; q < (set + 1) * questionsPerSet; q++)
        if (questionNorm2[q] !== 0) count++;
      return count;
    });
    return paired.map(({ set, index, pairing, definitions }) => {
      const normQuestions = Math.sqrt(setNorm2[index]!) / questionsPerSet;
      const sums = { inner: 0, norm: 0, cosine: 0, pairwise: 0 };
      let [cosines, pairwise] = [0, 0];
      for (const definition of definitions) {
        const at = definition * questionSets.length + index;
        const norm = normOf[definition]!;
        sums.inner += inner[at]!;
        sums.norm += norm;
        if (norm * normQuestions !== 0) {
          sums.cosine += inner[at]! / (norm * normQuestions);
          cosines++;
        }
        if (norm !== 0 && counted[index]! > 0) {
          sums.pairwise += directed[at]! / (norm * counted[index]!);
          pairwise++;
        }
      }
      return {
        set,
        pairing,
        definitions: definitions.length,
        inner: sums.inner / definitions.length,
        normDefinition: sums.norm / definitions.length,
        normQuestions,
        cosine: cosines === 0 ? null : sums.cosine / cosines,
        pairwiseCosine: pairwise === 0 ? null : sums.pairwise / pairwise,
      };
    });
  };
}

function pairings({ entities, questionSets, definitionKinds }: Panel): PairedSet[] {
  const sameSubset = (a: number, b: number): boolean => entities[a]!.subset === entities[b]!.subset;
  const others = (entity: number, same: boolean): number[] =>
    entities.flatMap((_, other) => (other !== entity && sameSubset(other, entity) === same ? [other] : []));
  return questionSets.flatMap((set, index) => {
    const { entity } = set;
    const of = (pairing: Pairing, kind: DefinitionKind, whose: readonly number[]): PairedSet[] => {
      if (!definitionKinds.includes(kind) || whose.length === 0) return [];
      const first = definitionKinds.indexOf(kind) * entities.length;
      return [{ set, index, pairing, definitions: whose.map((other) => first + other) }];
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
