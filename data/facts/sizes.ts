import { UserError } from '../errors.js';
import { factSubsetSizes } from './assignment.js';
import { entityQuestions } from './attribution.js';
import { factProblems, type FactConfig } from './config.js';
import { statementsPerVariable } from './definition-writer.js';
import { factSubsetNames, factSubsets } from './fact-subsets.js';
import type { FactSection } from './rows.js';

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
  const attribution: FactSectionSize[] = [];
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
      for (const suffix of consistent === false ? ['', '_swapped'] : ['']) {
        attribution.push({ name: `${subset}${suffix}`, subset, kind: 'qa', group: null, rows: size });
      }
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
      attribution.map((own) => ({ ...own, name: `ent_assoc_${type}_${own.name}` })),
    ),
  ];
}

/** Rows of pretraining, those that are held out included. */
export function pretrainingSize(entities: number, questions: number): number {
  return entities * (5 * questions + entityQuestions.length);
}
