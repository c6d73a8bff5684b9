import type { CounterfactualKind } from '../../data/experiment.js';

/** Measures of definitions that are changed in one way. */
const measuresOf: Readonly<Record<CounterfactualKind, string>> = {
  tag_swap: 'gaps by tag of cosines, transfer and forces',
  entity_swap: 'controls with another entity',
  unseen_tag: 'controls with a tag never trained',
};

/** Why a measure is absent that needs changed definitions of an experiment whose data have none: what, where, what to do. */
export function noCounterfactuals(kind: CounterfactualKind): string {
  return (
    `the experiment builds no counterfactual definitions '${kind}', which ${measuresOf[kind]} need: add them to its build ` +
    '(docs/experiments/own.md, 6), then run and probe again'
  );
}
