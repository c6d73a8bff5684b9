import { z } from 'zod';
import { UserError } from '../errors.js';
import { questionOfPredicate } from './questions.js';

/** A fact of T-REx: subject, predicate (`P50`) and object. */
export interface Triple {
  readonly subj: string;
  readonly obj: string;
  readonly predicate: string;
}

const form = z.object({ surfaceform: z.string().nullable() });

const documentSchema = z.object({
  triples: z.array(z.object({ subject: form, predicate: z.object({ uri: z.string() }), object: form })),
});

const tripleSchema = z.object({ subj: z.string(), obj: z.string(), predicate: z.string() });

/** A file of T-REx, or the authors' intermediate file. */
const fileSchema = z.union([z.array(documentSchema), z.array(tripleSchema)]);

/**
 * The facts of a file that questions are asked about, in its order: of documents with triples, or of a list of `{subj, obj,
 * predicate}`. Throws a UserError for any other content.
 *
 * @param json its parsed content
 */
export function readTriples(file: string, json: unknown): Triple[] {
  const parsed = fileSchema.safeParse(json);
  if (!parsed.success) {
    throw new UserError(
      `${file}: holds neither documents of T-REx with triples nor a list of {subj, obj, predicate}; give JSON files of T-REx`,
    );
  }
  return parsed.data
    .flatMap((own): Triple[] => {
      if (!('triples' in own)) return [own];
      return own.triples.flatMap(({ subject, predicate, object }) => {
        const [subj, obj] = [subject.surfaceform, object.surfaceform];
        // Predicates are addresses that end in the id: `.../P50`.
        return subj === null || obj === null
          ? []
          : [{ subj, obj, predicate: predicate.uri.split('/').at(-1)! }];
      });
    })
    .filter(({ predicate }) => questionOfPredicate.has(predicate));
}

const pronouns = new Set(['he', 'she', 'it', 'they']);

/** Different triples, in order, without pronouns and without subjects that occur once. */
export function cleanTriples(triples: Iterable<Triple>): Triple[] {
  const different = new Map<string, Triple>();
  for (const triple of triples) {
    const key = JSON.stringify([triple.subj, triple.obj, triple.predicate]);
    if (!different.has(key)) different.set(key, triple);
  }
  const times = new Map<string, number>();
  for (const { subj } of different.values()) times.set(subj, (times.get(subj) ?? 0) + 1);
  return [...different.values()].filter(
    ({ subj, obj }) =>
      times.get(subj)! > 1 && !pronouns.has(subj.toLowerCase()) && !pronouns.has(obj.toLowerCase()),
  );
}
