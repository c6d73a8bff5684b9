import { loadTokenizer } from '../text/tokenizer/load.js';
import { bytePairTokenizer } from '../text/tokenizer/byte-pairs.js';
import { createTokenizer } from '../text/tokenizer/tokenizer.js';
import { wordTokenizer } from '../text/tokenizer/word-level.js';
import type { FactRows } from './build.js';
import { bytePairs, wordsTokenizer, type FactConfig } from './config.js';
import { textEncoder, wordEncoder, type FactEncoder } from './encoder.js';
import type { FactEntity } from './fact-set.js';
import { attributionTemplates } from './attribution.js';
import { fillTemplate } from './template.js';
import { textOf } from './parts.js';
import { pretrainingRows } from './pretraining.js';
import { inContext, questionSentence } from './sentence.js';

/** What an encoder is made by. */
type EncoderConfig = Pick<FactConfig, 'tokenizer' | 'vocabularySize' | 'format'>;

/**
 * The encoder that a config asks for. That of words depends on the entities and their facts alone, so that a model pretrained on
 * facts has the same tokens as every run that starts from it, whatever its seed; so does that of byte pairs. To the latter
 * and to a tokenizer of a folder variables and tags are text, so that all seeds share it.
 */
export function encoderOf(
  config: EncoderConfig,
  entities: readonly FactEntity[],
  rows: FactRows | null,
): FactEncoder {
  if (config.tokenizer !== wordsTokenizer) return sharedEncoder(config, entities);
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

/** Encoders by the entities that they are for: seeds and stages of a run ask for the same ones again and again. */
const shared = new WeakMap<readonly FactEntity[], Map<string, FactEncoder>>();

function sharedEncoder(config: EncoderConfig, entities: readonly FactEntity[]): FactEncoder {
  const { tokenizer, vocabularySize, format } = config;
  const own = shared.get(entities) ?? new Map<string, FactEncoder>();
  shared.set(entities, own);
  const key = JSON.stringify([tokenizer, vocabularySize, format]);
  const known = own.get(key);
  if (known !== undefined) return known;
  const encoder = textEncoder(
    tokenizer === bytePairs
      ? createTokenizer(bytePairTokenizer({ texts: sentencesOf(entities), size: vocabularySize }))
      : loadTokenizer(tokenizer),
    format,
  );
  own.set(key, encoder);
  return encoder;
}

/** All sentences that a model could be pretrained on. */
function sentencesOf(entities: readonly FactEntity[]): string[] {
  return pretrainingRows(entities, { heldOut: 0, seed: 0 }).training.rows.map(({ text }) => text);
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
