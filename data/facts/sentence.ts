import { assemble, other, textOf } from './parts.js';
import type { TextPart } from '../text/tokenizer/parts.js';

/** A text and what of it is asked: `text` is `question`, a blank, the answer, and a newline. */
export interface Sentence {
  /** The prompt; empty where nothing of the text is asked. */
  readonly question: string;
  readonly text: string;
  /** Consecutive parts of `text`; the last two are the answer with its blank, and the newline, where something is asked. */
  readonly parts: readonly TextPart[];
}

/** A prompt and its answer. */
export function sentence(prompt: readonly TextPart[], answer: TextPart): Sentence {
  const parts = assemble([...prompt, other(' '), answer, other('\n')]);
  return { question: textOf(prompt), text: textOf(parts), parts };
}

/** The parts of a text with another answer in place of its own, of the same kind. */
export function withAnswer({ parts }: Pick<Sentence, 'parts'>, answer: string): TextPart[] {
  return parts.map((own, i) => (i === parts.length - 2 ? { ...own, text: ` ${answer}` } : own));
}

/** `Q: {question}\nA: {answer}\n` */
export function questionSentence(question: readonly TextPart[], answer: TextPart): Sentence {
  return sentence([other('Q: '), ...question, other('\nA:')], answer);
}

/**
 * A question behind a text in its prompt: `{context}. Q: {question}\nA: {answer}\n`. The context is a definition with its
 * newline, which stands before the full stop also in the published data.
 */
export function inContext(context: Sentence, question: Sentence): Sentence {
  const before: readonly TextPart[] = [...context.parts, other('. ')];
  const prefix = textOf(before);
  return {
    question: prefix + question.question,
    text: prefix + question.text,
    parts: assemble([...before, ...question.parts]),
  };
}
