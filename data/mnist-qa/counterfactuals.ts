import { UserError } from '../errors.js';
import type { CounterfactualKind, Counterfactuals } from '../experiment.js';
import type { PooledImages } from '../images/pool.js';
import { subsets, type Tag } from '../subsets.js';
import type { TestExamples } from './examples.js';
import { gridPieces } from './pieces.js';
import { wholeGrid } from './rows.js';
import { variableSubset } from './variables.js';
import { writeImageRow, type DefinitionChange, type WriterOptions } from './writer.js';

/**
 * Counterfactual definitions of every variable that has a definition, with the digit images of its first test row
 * among `train_defs_...`: they differ from that row in nothing but what their name says.
 *
 * `tag_swap` exchanges the strips of tags 1 and 2 (and gives tag 1 to d3consis). `entity_swap` has the labels that the
 * definition would have if it were wrong instead of right, or right instead of wrong. `unseen_tag` shows tag 3, which
 * stage 1 never uses.
 */
export function gridCounterfactuals(
  options: WriterOptions,
  digits: PooledImages,
  tests: TestExamples,
): Counterfactuals {
  const { variables } = options;
  const kinds: CounterfactualKind[] = ['tag_swap', 'entity_swap', 'unseen_tag'];
  const changedOf = (kind: CounterfactualKind, variable: number) => {
    if (!kinds.includes(kind)) throw new UserError(`mnist-qa has no counterfactual ${kind}`);
    const images = variable < variables.count ? tests.definitionImages(variable) : null;
    if (images === null) throw new RangeError(`variable ${variable} has no definition`);
    const { tag } = subsets[variableSubset(variables, variable)];
    return { images, change: changeOf(kind, tag, variables.otherDefined) };
  };
  return {
    kinds,
    fill: (kind, variable, slot, buffers) => {
      const { images, change } = changedOf(kind, variable);
      writeImageRow(options, digits, { variable, cell: wholeGrid }, images, slot, buffers, change);
    },
    pieces: (kind, variable) =>
      gridPieces(options, { variable, cell: wholeGrid }, changedOf(kind, variable).change),
  };
}

function changeOf(kind: CounterfactualKind, tag: Tag | null, otherDefined: Uint8Array): DefinitionChange {
  if (kind === 'tag_swap') return { tag: tag === 1 ? 2 : 1 };
  return kind === 'entity_swap' ? { defined: otherDefined } : { tag: 3 };
}
