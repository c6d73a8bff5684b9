import type { PartKind } from '../pieces.js';
import type { EncodedRow } from './encoder.js';

/** Tokens of names, at most. */
export interface NameLengths {
  readonly variable: number;
  readonly tag: number;
}

/** A row in tokens, and what it asks. */
export interface MeasuredRow {
  readonly text: EncodedRow;
  readonly asksDefinition: boolean;
}

/** Tokens of the longest text, of its question and of the longest answer, that the rows of any seed could have. */
export interface RowLengths {
  readonly text: number;
  readonly question: number;
  readonly answer: number;
}

/**
 * The lengths that the rows of any seed could have, by those of one: seeds train together only where their rows are equally
 * long, and other seeds have other names, and other entities behind them. Every entity is asked all of its questions, and
 * its name, for every seed; so what differs is how long a name in a given place is.
 */
export function longestLengths(rows: Iterable<MeasuredRow>, names: NameLengths): RowLengths {
  const all = Array.from(rows, (row) => ({ ...row, ...regionsOf(row.text) }));
  const most: Record<Named, number> = { ...names, entity: 0 };
  // Of questions in which entities stand under their own names any can be such a one.
  let subject = 0;
  for (const { question, answer, asksDefinition } of all) {
    for (const { kind, length } of [...question, ...answer])
      if (isNamed(kind)) most[kind] = Math.max(most[kind], length);
    if (!asksDefinition && question.some(({ kind }) => kind === 'entity')) subject = 1;
  }
  subject = subject === 0 ? most.variable : Math.max(most.variable, most.entity);
  const sum = (runs: readonly Run[], asks: boolean): number =>
    runs.reduce(
      (total, { kind, length }) =>
        total +
        (asks && (kind === 'variable' || kind === 'entity') ? subject : isNamed(kind) ? most[kind] : length),
      0,
    );
  const longest = { text: 0, question: 0, answer: 1 };
  for (const { question, answer, asksDefinition } of all) {
    const [before, behind] = [sum(question, !asksDefinition), sum(answer, false)];
    longest.question = Math.max(longest.question, before);
    longest.answer = Math.max(longest.answer, behind);
    longest.text = Math.max(longest.text, before + behind);
  }
  return longest;
}

type Named = 'variable' | 'tag' | 'entity';

const isNamed = (kind: PartKind): kind is Named => kind === 'variable' || kind === 'tag' || kind === 'entity';

/** Consecutive tokens of one kind: where it is a name, one name. */
interface Run {
  readonly kind: PartKind;
  length: number;
}

function regionsOf({ parts, answerLength }: EncodedRow): { question: Run[]; answer: Run[] } {
  const start = parts.length - answerLength;
  return { question: runsOf(parts.slice(0, start)), answer: runsOf(parts.slice(start)) };
}

function runsOf(parts: readonly PartKind[]): Run[] {
  const runs: Run[] = [];
  for (const kind of parts) {
    const last = runs.at(-1);
    if (last?.kind === kind) last.length++;
    else runs.push({ kind, length: 1 });
  }
  return runs;
}
