import { UserError } from '../errors.js';
import type { CounterfactualKind, Counterfactuals } from '../experiment.js';
import { subsetNames, type SubsetName } from '../subsets.js';
import type { TextLayout } from '../text/layout.js';
import { textPieces } from '../text/pieces.js';
import { writeTrainingRow, type Text } from '../text/rows.js';
import { definitionOf, type RowSource } from './rows.js';
import { definitionText, otherTag, type Definition } from './texts.js';

/**
 * Counterfactual definitions of every variable that has a definition.
 *
 * `tag_swap` exchanges tags 1 and 2 (and gives tag 1 to d3consis). `entity_swap` names the number that the definition
 * would name if it were wrong instead of right, or right instead of wrong. `unseen_tag` takes tag 3, which stage 1
 * never uses (for d3consis that is the definition itself); in format compact it exists only beside d3consis.
 */
export function textCounterfactuals(source: RowSource, layout: TextLayout): Counterfactuals {
  const { points, vocabulary, definitionOrder } = source;
  const subsetOf = subsetOfVariable(source);
  const kinds: CounterfactualKind[] = ['tag_swap', 'entity_swap'];
  if (vocabulary.hasNewTag) kinds.push('unseen_tag');
  const textOf = (kind: CounterfactualKind, variable: number): Text => {
    if (!kinds.includes(kind)) {
      throw new UserError(
        `no token for an unseen tag: give data.fractions.d3consis a share or use format paper`,
      );
    }
    const definition = changed(kind, definitionOf(points, subsetOf(variable), variable));
    return definitionText(vocabulary, definitionOrder, definition);
  };
  return {
    kinds,
    fill: (kind, variable, slot, buffers) => writeTrainingRow(layout, textOf(kind, variable), slot, buffers),
    pieces: (kind, variable) =>
      textPieces(layout, textOf(kind, variable), layout.loss.target, (tokens) => vocabulary.decode(tokens)),
  };
}

function changed(
  kind: CounterfactualKind,
  definition: Definition & { readonly otherNumber: number },
): Definition {
  if (kind === 'tag_swap') return { ...definition, tag: otherTag(definition.tag) };
  if (kind === 'entity_swap') return { ...definition, number: definition.otherNumber };
  return { ...definition, tag: 3 };
}

function subsetOfVariable({ assignment, points }: RowSource): (variable: number) => SubsetName {
  const subsetIndex = new Int8Array(points.names.length).fill(-1);
  for (const [subset, variables] of assignment) {
    for (const variable of variables) subsetIndex[variable] = subsetNames.indexOf(subset);
  }
  return (variable) => {
    const subset = subsetNames[subsetIndex[variable] ?? -1];
    if (subset === undefined) throw new RangeError(`no variable ${variable} among ${subsetIndex.length}`);
    return subset;
  };
}
