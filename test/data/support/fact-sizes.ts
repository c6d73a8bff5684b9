import { UserError } from '../../../data/errors.js';
import { attributionSetName } from '../../../data/attribution-tests.js';
import { splitStage1, splitStage2, type FactShares } from '../../../data/facts/assignment.js';
import { entityQuestions } from '../../../data/facts/attribution.js';
import { factProblems, type FactConfig } from '../../../data/facts/config.js';
import { statementsPerVariable } from '../../../data/facts/definition-writer.js';
import { factSubsetNames, factSubsets, type FactSubsetName } from '../../../data/facts/fact-subsets.js';
import type { FactSection } from '../../../data/facts/rows.js';

/** A section of rows that is not written yet. */
export type FactSectionSize = Omit<FactSection, 'rows'> & { readonly rows: number };

/**
 * Sizes of the sections that will be written, in their order, the same for every seed. Exact where every entity has as many
 * questions and every name two letters.
 *
 * @param questions of each entity
 * @throws UserError for a config of which nothing can be built
 */
export function factSectionSizes(config: FactConfig, questions: number): FactSectionSize[] {
  const [problem] = factProblems(config);
  if (problem) throw new UserError(`data.${problem.path}: ${problem.message}`);
  const sizes = factSubsetSizes(config.entities, config);
  const training: FactSectionSize[] = [];
  const tests: FactSectionSize[] = [];
  const attribution: {
    readonly subset: FactSubsetName;
    readonly of: 'own' | 'definition';
    readonly rows: number;
  }[] = [];
  for (const subset of factSubsetNames) {
    const size = sizes.get(subset);
    if (size === undefined) continue;
    const { tag, trainsQuestions, consistent } = factSubsets[subset];
    const heldOut = trainsQuestions
      ? Math.ceil(size * questions * config.testShare - 1e-9)
      : size * questions;
    if (tag !== null && config.definitions !== 'inContext') {
      const rows = size * (config.definitions === 'isIsnt' ? statementsPerVariable : 1);
      training.push({
        name: `train_defs_${subset}`,
        subset,
        kind: 'definition',
        group: `${subset}/definition`,
        rows,
      });
    }
    if (trainsQuestions) {
      const rows = size * questions - heldOut;
      training.push({ name: `train_questions_${subset}`, subset, kind: 'qa', group: `${subset}/qa`, rows });
    }
    tests.push({ name: subset, subset, kind: 'qa', group: null, rows: heldOut });
    if (subset !== 'q_no_replacement_baseline' && subset !== 'no_qd_baseline') {
      attribution.push({ subset, of: 'own', rows: size });
      if (consistent === false) attribution.push({ subset, of: 'definition', rows: size });
    }
  }
  const exchanged = sizes.get('d2consis') ?? 0;
  if (exchanged > 1) {
    tests.push({
      name: 'd2incons',
      subset: 'd2incons',
      kind: 'qa',
      group: null,
      rows: exchanged * questions,
    });
  }
  return [
    ...training,
    ...tests,
    ...config.attribution.flatMap((type) =>
      attribution.map(({ subset, of, rows }): FactSectionSize => ({
        name: attributionSetName(type, subset, of),
        subset,
        kind: 'qa',
        group: null,
        rows,
      })),
    ),
  ];
}

/** Rows of pretraining, those that are held out included. */
export function pretrainingSize(entities: number, questions: number): number {
  return entities * (5 * questions + entityQuestions.length);
}

/** Sizes of the subsets, without drawing anything; the same for every seed. */
function factSubsetSizes(entities: number, shares: FactShares): ReadonlyMap<FactSubsetName, number> {
  const all = Array.from({ length: entities }, (_, i) => i);
  const { subsets, stage2 } = splitStage1(all, shares);
  const sizes = new Map(
    [...subsets, ...splitStage2(stage2, shares, entities)].map(([name, members]) => [name, members.length]),
  );
  return sizes;
}
