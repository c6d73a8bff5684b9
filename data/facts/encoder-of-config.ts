import { loadTokenizer } from '../text/tokenizer/load.js';
import { createTokenizer } from '../text/tokenizer/tokenizer.js';
import { wordTokenizer } from '../text/tokenizer/word-level.js';
import type { FactRows } from './build.js';
import { wordsTokenizer, type FactConfig } from './config.js';
import { textEncoder, wordEncoder, type FactEncoder } from './encoder.js';
import type { FactEntity } from './fact-set.js';
import { attributionTemplates } from './attribution.js';
import { fillTemplate } from './template.js';
import { textOf } from './parts.js';
import { inContext, questionSentence } from './sentence.js';

/**
 * The encoder that a config asks for. That of words depends on the entities and their facts alone, so that a model pretrained on
 * facts has the same tokens as every run that starts from it, whatever its seed.
 */
export function encoderOf(
  config: FactConfig,
  entities: readonly FactEntity[],
  rows: FactRows | null,
): FactEncoder {
  if (config.tokenizer !== wordsTokenizer) return textEncoder(loadTokenizer(config.tokenizer));
  const tokenizer = createTokenizer(
    wordTokenizer({ texts: wordsOf(entities), wholes: entities.map(({ name }) => name) }).tokenizer,
  );
  const variables = rows?.draws.variables ?? [];
  const own = {
    tags: [...(rows?.draws.tags ?? []), ...variables.flatMap(({ randomTag }) => randomTag ?? [])],
    variables: variables.map(({ name }) => name),
  };
  return wordEncoder(tokenizer, own);
}

/** Everything that is said of the entities beside their names. */
function* wordsOf(entities: readonly FactEntity[]): Generator<string, void> {
  const nobody = { part: 'other', text: '' } as const;
  // The frame of questions, alone and behind a definition.
  yield inContext(questionSentence([], nobody), questionSentence([], nobody)).text;
  for (const template of Object.values(attributionTemplates)) yield textOf(fillTemplate(template, nobody));
  for (const { facts } of entities) {
    for (const { question, answers } of facts) {
      for (const template of [question.template, question.paraphrase, ...question.statements])
        yield textOf(fillTemplate(template, nobody));
      yield* answers;
    }
  }
}
