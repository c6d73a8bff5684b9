import { UserError } from '../errors.js';
import type { BuildOptions, CounterfactualKind } from '../experiment.js';
import { compareCodePoints } from './code-points.js';
import { factProblems, type FactConfig } from './config.js';
import { definitionWriter } from './definition-writer.js';
import { drawFacts, exchangeFactTags, type FactDraws } from './draws.js';
import type { FactEntity } from './fact-set.js';
import { factSubsets } from './fact-subsets.js';
import {
  factDefinitionOf,
  definitionRows,
  factSections,
  insteadOf,
  membersOf,
  otherFactTag,
  type FactRow,
  type FactRowSource,
  type FactSection,
} from './rows.js';

/** The data of a seed in words. */
export interface FactRows {
  /** In the order of their names: rows and variables give places here. */
  readonly entities: readonly FactEntity[];
  readonly draws: FactDraws;
  /** Training groups, held-out questions, attribution. */
  readonly sections: readonly FactSection[];
  /** The kinds of {@link FactRows.counterfactual} that these data can express. */
  readonly counterfactualKinds: readonly CounterfactualKind[];
  /**
   * The first sentence of a definition with something changed. Throws a RangeError for a variable without a definition, a
   * UserError for a kind that is not in `counterfactualKinds`.
   */
  counterfactual(kind: CounterfactualKind, variable: number): FactRow;
  /**
   * The order of the published training set of stage 1: the texts sorted, then shuffled with the generator that drew the
   * data. Numbers of rows in the X1 training sections, one after the other.
   */
  publishedOrder(): number[];
}

/**
 * Writes all texts of a seed, which must be a safe integer; equal arguments give equal rows.
 *
 * @param entities with different names; those of the config's number, in any order
 * @throws UserError that names the key for values that are impossible together
 */
export function buildFactRows(
  entities: readonly FactEntity[],
  config: FactConfig,
  seed: number,
  options: BuildOptions = {},
): FactRows {
  const [problem] = factProblems(config);
  if (problem) throw new UserError(`data.${problem.path}: ${problem.message}`);
  const sorted = entities.toSorted((a, b) => compareCodePoints(a.name, b.name));
  const drawn = drawFacts(sorted, config, seed);
  const draws = options.exchangeTags === true ? exchangeFactTags(drawn) : drawn;
  const writer = definitionWriter(config, draws, sorted, seed);
  const source: FactRowSource = { entities: sorted, draws, config, writer, members: membersOf(draws) };
  const sections = factSections(source);
  const counterfactualKinds: CounterfactualKind[] =
    config.definitions === 'inContext' ? [] : ['tag_swap', 'entity_swap'];
  if (counterfactualKinds.length > 0 && writer.hasNewTag) counterfactualKinds.push('unseen_tag');
  return {
    entities: sorted,
    draws,
    sections,
    counterfactualKinds,
    counterfactual(kind, variable) {
      if (!counterfactualKinds.includes(kind)) {
        throw new UserError(`no ${kind} definitions: data.definitions is ${config.definitions}; use tags`);
      }
      return definitionRows(source, changed(kind, source, variable))[0]!;
    },
    publishedOrder() {
      const texts = sections.flatMap(({ group, subset, rows }) =>
        group !== null && subset !== 'facts' && factSubsets[subset].part === 'X1'
          ? rows.map(({ text }) => text)
          : [],
      );
      const order = texts.map((_, row) => row).sort((a, b) => compareCodePoints(texts[a]!, texts[b]!));
      // Drawn once more, so that the order is the same whenever it is asked for.
      drawFacts(sorted, config, seed).random.shuffle(order);
      return order;
    },
  };
}

function changed(kind: CounterfactualKind, source: FactRowSource, variable: number) {
  const definition = factDefinitionOf(source, variable);
  if (kind === 'tag_swap') return { ...definition, tag: otherFactTag(definition.tag) };
  if (kind === 'unseen_tag') return { ...definition, tag: 3 as const };
  return { ...definition, entity: insteadOf(source, definition).entity };
}
