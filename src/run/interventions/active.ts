import * as tf from '@tensorflow/tfjs-core';
import { blockNorms } from '../../train/parameters/block-vectors.js';
import type { ComingGradient, InterventionContext, InterventionValues } from './intervention.js';
import { interventions } from './registry.js';

/** What is taken instead of a minibatch's gradient; the caller disposes of it. */
export interface StageChange {
  /** Blocks, `[replica, size]`, before clipping. */
  readonly blocks: readonly tf.Tensor2D[];
  /** `[replica]` Euclidean norm of them. */
  readonly norms: readonly number[];
  readonly values: InterventionValues;
  dispose(): void;
}

/** The interventions of a stage, at work. */
export interface StageInterventions {
  /** What is done at the start of the stage, before its first minibatch. */
  begin(): InterventionValues;
  /** What they make of a gradient, one after the other; null where none changes gradients. */
  change(coming: Omit<ComingGradient, 'blocks'>): StageChange | null;
  dispose(): void;
}

/** Sets the interventions of a stage to work; the caller disposes of them. */
export function activateInterventions(context: InterventionContext): StageInterventions {
  const active = interventions.map((own) => own.activate(context)).filter((own) => own !== null);
  const changing = active.map(({ change }) => change).filter((change) => change !== undefined);
  return {
    begin: () => active.reduce<InterventionValues>((values, { begin }) => ({ ...values, ...begin?.() }), {}),
    change: (coming) => {
      if (changing.length === 0) return null;
      const { gradient } = coming;
      let { blocks } = gradient;
      let values: InterventionValues = {};
      const made = new Set<tf.Tensor>();
      for (const change of changing) {
        const changed = change({ ...coming, blocks });
        for (const block of changed.blocks) if (!gradient.blocks.includes(block)) made.add(block);
        ({ blocks } = changed);
        values = { ...values, ...changed.values };
      }
      const kept = blocks;
      tf.dispose([...made].filter((block) => !kept.includes(block as tf.Tensor2D)));
      // Summed here whoever made them: the same sums, to the last digit, for a replica beside others and for one alone.
      const norms = blockNorms(kept);
      return {
        blocks: kept,
        norms,
        values: { ...values, changed_norm: norms },
        dispose: () => tf.dispose(kept.filter((block) => made.has(block))),
      };
    },
    dispose: () => {
      for (const own of active) own.dispose?.();
    },
  };
}
