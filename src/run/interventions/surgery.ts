import * as tf from '@tensorflow/tfjs-core';
import { z } from 'zod';
import { groupSelectionSchema, selectGroups, type GroupSelection } from '../../../data/group-selection.js';
import { exampleGradients } from '../../train/example-gradients.js';
import { parameterCount } from '../../train/models/model.js';
import { blockProducts } from '../../train/parameters/block-vectors.js';
import { factorBytes } from '../planned-bytes.js';
import type { ActiveIntervention, Intervention, InterventionContext } from './intervention.js';
import { trainedIn } from './patterns.js';
import { accumulationProblem } from './whole-minibatch.js';

export const surgerySchema = z
  .strictObject({
    kind: z
      .enum(['pcgrad', 'inject'])
      .describe(
        'pcgrad: where the two gradients conflict, they come to agree as much; inject: where they agree, they come to ' +
          'conflict as much',
      ),
    first: groupSelectionSchema.describe('groups of the one gradient'),
    second: groupSelectionSchema.describe('groups of the other'),
    equalNorm: z
      .boolean()
      .default(false)
      .describe('gives the changed gradient the norm that the whole gradient had'),
    strength: z.number().min(0).max(1).default(1).describe('share of the projection that is done'),
  })
  .nullable()
  .default(null)
  .describe('projects the gradients of two sets of groups in a minibatch off each other');

/** Copies of the parameters: both gradients, what is added of each, the changed gradient, and it at its norm. */
const copiesOfSurgery = 6;

/** Positions of the groups of both sides. */
function sidesOf(
  { first, second }: { readonly first: GroupSelection; readonly second: GroupSelection },
  { design, data }: Pick<InterventionContext['plan'], 'design' | 'data'>,
): [Set<number>, Set<number>] {
  const of = (selection: GroupSelection): Set<number> =>
    new Set(selectGroups(design, data[0]!.groups, selection));
  return [of(first), of(second)];
}

/**
 * Gradient surgery between two sets of groups (PCGrad; Yu et al. 2020). With a and b their shares of the minibatch's
 * gradient, of cosine c, both are projected off each other's original at once,
 *
 *     a' = a - s (a.b / |b|^2) b,    b' = b - s (a.b / |a|^2) a,
 *
 * where c < 0 (`pcgrad`) or c > 0 (`inject`). At strength s = 1 the cosine of a' and b' is -c: a conflict becomes agreement
 * of the same size, and the reverse.
 */
export const surgery: Intervention = {
  key: 'surgery',
  changesGradient: true,
  problem: (stage) => accumulationProblem(stage, 'surgery', 'groups'),
  planProblem: () => null,
  dataProblem: ({ config, sets }, plan) => {
    if (config.surgery === null) return null;
    const sides = sidesOf(config.surgery, plan);
    const present = new Set(sets.flatMap(({ group }) => [...group]));
    const { groups } = plan.data[0]!;
    const names = groups.filter((_, i) => present.has(i)).join(', ');
    const empty = sides.findIndex((side) => [...side].every((own) => !present.has(own)));
    if (empty >= 0)
      return `${['first', 'second'][empty]}: the stage trains no rows of such groups; it has those of ${names}`;
    const common = [...sides[0]].find((own) => present.has(own) && sides[1].has(own));
    return common === undefined
      ? null
      : `second: ${groups[common]} is in first too; say more of which groups are meant`;
  },
  bytes: ({ surgery: own }, { batchSize }, model) =>
    own === null ? 0 : copiesOfSurgery * 4 * parameterCount(model) + factorBytes(model, batchSize),
  activate: (context) => (context.stage.config.surgery === null ? null : activeSurgery(context)),
};

/** What surgery makes of two gradients, from their inner products. */
export interface Incision {
  /** Cosine of the two, null where one is zero. */
  readonly cosine: number | null;
  /** The same of what they become. */
  readonly after: number | null;
  /** What is added to their sum: `ofFirst a + ofSecond b`. */
  readonly ofFirst: number;
  readonly ofSecond: number;
}

/** {@link surgery} from `a.a`, `a.b` and `b.b`. */
export function incision(
  kind: 'pcgrad' | 'inject',
  strength: number,
  [aa, ab, bb]: readonly [number, number, number],
): Incision {
  const cosine = ab / Math.sqrt(aa * bb);
  if (!Number.isFinite(cosine)) return { cosine: null, after: null, ofFirst: 0, ofSecond: 0 };
  if (strength === 0 || (kind === 'pcgrad' ? cosine >= 0 : cosine <= 0))
    return { cosine, after: cosine, ofFirst: 0, ofSecond: 0 };
  const square = strength * cosine ** 2;
  const after = (cosine * (1 - 2 * strength + strength * square)) / (1 - 2 * square + strength * square);
  // Nothing is left of gradients that lie on one line.
  const isLeft = 1 - cosine ** 2 > 1e-12 || strength < 1;
  return {
    cosine,
    after: isLeft ? after : null,
    ofFirst: (-strength * ab) / aa,
    ofSecond: (-strength * ab) / bb,
  };
}

function activeSurgery({ plan, stage, learner }: InterventionContext): ActiveIntervention {
  const configs = stage.configs.map(({ surgery: own }) => own!);
  const sides = sidesOf(configs[0]!, plan);
  const ofExamples = exampleGradients(learner.blocks, trainedIn(stage.config));
  return {
    change: ({ minibatch, gradient, blocks }) => {
      const [first, second] = sides.map((side) =>
        ofExamples.weightedMean(
          gradient,
          Float32Array.from(minibatch.groupOf, (group) => (side.has(group) ? 1 : 0)),
        ),
      ) as [tf.Tensor2D[], tf.Tensor2D[]];
      const products = [
        blockProducts(first, first),
        blockProducts(first, second),
        blockProducts(second, second),
      ] as const;
      const cuts = configs.map(({ kind, strength }, replica) =>
        incision(kind, strength, [products[0][replica]!, products[1][replica]!, products[2][replica]!]),
      );
      const values = {
        surgery_cosine: cuts.map(({ cosine }) => cosine),
        surgery_cosine_after: cuts.map(({ after }) => after),
      };
      const changes = cuts.map(({ ofFirst, ofSecond }) => ofFirst !== 0 || ofSecond !== 0);
      if (!changes.includes(true)) {
        tf.dispose([first, second]);
        return { blocks, values: { ...values, surgery_norm_ratio: cuts.map(() => 1) } };
      }
      const column = (numbers: readonly number[]): tf.Tensor2D =>
        tf.tensor2d([...numbers], [numbers.length, 1]);
      const cut = tf.tidy(() => {
        const ofFirst = column(cuts.map((own) => own.ofFirst));
        const ofSecond = column(cuts.map((own) => own.ofSecond));
        return blocks.map((block, i) =>
          tf.add<tf.Tensor2D>(block, tf.add(tf.mul(first[i]!, ofFirst), tf.mul(second[i]!, ofSecond))),
        );
      });
      tf.dispose([first, second]);
      const [before, after] = [blockProducts(blocks, blocks), blockProducts(cut, cut)];
      const ratios = changes.map((own, replica) => (own ? Math.sqrt(after[replica]! / before[replica]!) : 1));
      const result = { ...values, surgery_norm_ratio: ratios };
      if (!configs[0]!.equalNorm) return { blocks: cut, values: result };
      const restored = tf.tidy(() => {
        const inverse = column(ratios.map((ratio) => (ratio > 0 ? 1 / ratio : 1)));
        return cut.map((block) => tf.mul<tf.Tensor2D>(block, inverse));
      });
      tf.dispose(cut);
      return { blocks: restored, values: result };
    },
    dispose: () => ofExamples.dispose(),
  };
}
