/** What a written answer is worth, 0 to 1. */
export interface AnswerScores {
  /** Whether it is a right one, apart from case, punctuation, articles and blanks. */
  readonly exactMatch: number;
  /** Overlap of its different words with those of a right one: twice the common ones, divided by all of both. */
  readonly f1: number;
}

/**
 * Scores of an answer against those that count as right, the best of each (SQuAD's normalisation, Rajpurkar et al. 2016; words
 * as sets, as in the published code).
 */
export function scoreAnswer(answer: string, right: readonly string[]): AnswerScores {
  const own = normalised(answer);
  const golds = right.map(normalised);
  return {
    exactMatch: golds.includes(own) ? 1 : 0,
    f1: Math.max(0, ...golds.map((gold) => overlap(wordsOf(own), wordsOf(gold)))),
  };
}

/** Lower case without ASCII punctuation and articles, with single blanks. */
function normalised(text: string): string {
  return text
    .toLowerCase()
    .replace(/[!-/:-@[-`{-~]/g, '')
    .replace(/(?<![\p{L}\p{N}_])(?:a|an|the)(?![\p{L}\p{N}_])/gu, ' ')
    .replace(/\s+/g, ' ')
    .trim();
}

function wordsOf(text: string): ReadonlySet<string> {
  return new Set(text === '' ? [] : text.split(' '));
}

function overlap(a: ReadonlySet<string>, b: ReadonlySet<string>): number {
  if (a.size === 0 || b.size === 0) return a.size === b.size ? 1 : 0;
  let common = 0;
  for (const word of a) if (b.has(word)) common++;
  return (2 * common) / (a.size + b.size);
}
