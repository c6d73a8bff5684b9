import { groupName } from '../design.js';
import { createStream } from '../random/streams.js';
import { attributionTemplates, entityQuestions } from './attribution.js';
import { compareCodePoints } from './code-points.js';
import type { PretrainingConfig } from './config.js';
import type { Fact, FactEntity } from './fact-set.js';
import { realNames } from './fact-subsets.js';
import type { TextPart } from '../text/tokenizer/parts.js';
import type { FactRow, FactSection } from './rows.js';
import { questionSentence, sentence, type Sentence } from './sentence.js';
import { fillTemplate } from './template.js';

/** Sentences about entities under their real names, from which a model learns who they are. */
export interface PretrainingRows {
  readonly training: FactSection;
  /** `facts_paper`: held-out questions in the templates of the paper; `facts_others`: all other held-out sentences. */
  readonly heldOut: readonly FactSection[];
}

/** What a row is written as, by which held-out rows are told apart. */
type Form = 'paper' | 'other';

/**
 * Every fact in five forms (the paper's question, three statements, another question), and of every entity the four
 * questions who it is under its own name. Each row is held out with probability `heldOut`, by itself. Rows are in the order
 * of the entities' names; their `entity` is its place in that order, as in the rows of a run.
 */
export function pretrainingRows(
  entities: readonly FactEntity[],
  { heldOut, seed }: PretrainingConfig,
): PretrainingRows {
  const random = createStream(seed, 'pretraining/held-out');
  const training: FactRow[] = [];
  const held: Record<Form, FactRow[]> = { paper: [], other: [] };
  const sorted = entities.toSorted((a, b) => compareCodePoints(a.name, b.name));
  sorted.forEach((own, entity) => {
    for (const { form, row } of rowsOf(own, entity)) {
      (random.uniform() < heldOut ? held[form] : training).push(row);
    }
  });
  const section = (name: string, rows: readonly FactRow[]): FactSection => ({
    name,
    subset: realNames.name,
    kind: 'qa',
    group: null,
    rows,
  });
  return {
    training: { ...section('train_questions_facts', training), group: groupName(realNames.name, 'qa') },
    heldOut: [section('facts_paper', held.paper), section('facts_others', held.other)],
  };
}

/** Rows of one entity, held out or not: 5 a fact and 4. */
function rowsOf(own: FactEntity, entity: number): { readonly form: Form; readonly row: FactRow }[] {
  const subject: TextPart = { part: 'entity', text: own.name };
  const row = (asks: string, answers: readonly string[], text: Sentence): FactRow => ({
    ...text,
    variable: -1,
    entity,
    asks,
    answers,
    contrast: null,
  });
  const ofFact = ({ question, answers }: Fact): { readonly form: Form; readonly row: FactRow }[] => {
    const answer: TextPart = { part: 'answer', text: answers[0]! };
    const asked = (text: Sentence): FactRow => row(question.id, answers, text);
    return [
      { form: 'paper', row: asked(questionSentence(fillTemplate(question.template, subject), answer)) },
      ...question.statements.map((statement) => ({
        form: 'other' as const,
        row: asked(sentence(fillTemplate(statement, subject), answer)),
      })),
      { form: 'other', row: asked(questionSentence(fillTemplate(question.paraphrase, subject), answer)) },
    ];
  };
  return [
    ...own.facts.flatMap(ofFact),
    ...entityQuestions.map((type) => ({
      form: 'other' as const,
      row: row(
        type,
        [own.name],
        questionSentence(fillTemplate(attributionTemplates[type], subject), subject),
      ),
    })),
  ];
}
