import { assemble, other, textOf, type TextPart } from './parts.js';

/** A text and what of it is asked: `text` is `question`, a blank, the answer, and a newline. */
export interface Sentence {
  /** The prompt; empty where nothing of the text is asked. */
  readonly question: string;
  readonly text: string;
  /** Consecutive pieces of `text`. */
  readonly parts: readonly TextPart[];
}

/** A prompt and its answer. */
export function sentence(prompt: readonly TextPart[], answer: TextPart): Sentence {
  const parts = assemble([...prompt, other(' '), answer, other('\n')]);
  return { question: textOf(prompt), text: textOf(parts), parts };
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
