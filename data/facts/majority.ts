import { compareCodePoints } from './code-points.js';
import type { FactEntity } from './fact-set.js';

/** The most frequent answer to a question: what a model scores that knows nothing of whom it is asked about. */
export interface MajorityShare {
  /** Id of the question. */
  readonly asks: string;
  /** Times that it is asked. */
  readonly asked: number;
  /** Different answers. */
  readonly distinct: number;
  /** The most frequent answer, the first in the alphabet of equally frequent ones. */
  readonly answer: string;
  /** Its share of all answers, 0 to 1. */
  readonly share: number;
}

/**
 * The majority baseline of each question, in the order of first appearance. Of several right answers the first counts.
 */
export function majorityShares(
  rows: Iterable<{ readonly asks: string; readonly answers: readonly string[] }>,
): MajorityShare[] {
  const counts = new Map<string, Map<string, number>>();
  for (const { asks, answers } of rows) {
    const [answer] = answers;
    if (answer === undefined) continue;
    const own = counts.get(asks) ?? new Map<string, number>();
    counts.set(asks, own.set(answer, (own.get(answer) ?? 0) + 1));
  }
  return Array.from(counts, ([asks, own]) => {
    const [answer, most] = [...own].sort(([a, i], [b, k]) => k - i || compareCodePoints(a, b))[0]!;
    const asked = [...own.values()].reduce((sum, times) => sum + times, 0);
    return { asks, asked, distinct: own.size, answer, share: most / asked };
  });
}

/** The majority baseline of a set of entities. */
export function majorityOfEntities(entities: readonly FactEntity[]): MajorityShare[] {
  return majorityShares(
    entities.flatMap(({ facts }) => facts.map(({ question, answers }) => ({ asks: question.id, answers }))),
  );
}

/** Exact match of always answering the most frequent answer of each question: the shares, each question as often as asked. */
export function majorityBaseline(shares: readonly MajorityShare[]): number {
  const asked = shares.reduce((sum, own) => sum + own.asked, 0);
  return shares.reduce((sum, own) => sum + own.share * own.asked, 0) / asked;
}
