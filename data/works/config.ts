import path from 'node:path';
import { z } from 'zod';
import { factKeys, refineFacts, type FactConfig } from '../facts/config.js';

const workSets = ['movies', 'trex'] as const;

/** The `data` section of an experiment on creative works; the schema's descriptions say what each key means. */
export interface WorksConfig extends FactConfig {
  readonly works: (typeof workSets)[number];
  readonly entitySeed: number;
  readonly faithful: boolean;
  readonly movies?: string | undefined;
  readonly trex?: string | undefined;
}

const file = (text: string) =>
  z
    .string()
    .min(1)
    .overwrite((own) => path.resolve(own))
    .optional()
    .describe(`${text}; relative to this file`);

export const worksSchema: z.ZodType<WorksConfig> = z
  .strictObject({
    ...factKeys(0.25),
    works: z
      .enum(workSets)
      .default('movies')
      .describe('movies: 2,333 films with six or seven questions each; trex: files of T-REx'),
    entitySeed: z
      .int()
      .min(0)
      .default(0)
      .describe(
        'seed that chooses the works and, for trex, the order of their answers; the same for all seeds of a run, so that ' +
          'one pretrained model knows them all (the published code takes the seed of the run)',
      ),
    faithful: z
      .boolean()
      .default(false)
      .describe(
        'trex: asks for the first name of the editor (P1040), but answers with the full name, as published',
      ),
    movies: file('movies.json or its folder (movies); by default that of the package vega-datasets'),
    trex: file('a JSON file of T-REx, a folder of them, or a JSON list of {subj, obj, predicate} (trex)'),
  })
  .superRefine((config, context) => {
    refineFacts(config, context);
    if (context.issues.length === 0 && config.works === 'trex' && config.trex === undefined) {
      context.addIssue({
        code: 'custom',
        path: ['trex'],
        message:
          'works: trex needs files; give a JSON file of T-REx or a folder of them, or use works: movies',
      });
    }
  });
