import type { ExampleKind, GroupName } from '../design.js';
import { groupName } from '../design.js';
import { attributionSetName } from '../attribution-tests.js';
import { attributionAnswer, attributionTemplates, type AttributionType } from './attribution.js';
import type { FactConfig } from './config.js';
import type { DefinitionWriter, FactDefinition } from './definition-writer.js';
import type { FactDraws } from './draws.js';
import type { Fact, FactEntity } from './fact-set.js';
import { factSubsetNames, factSubsets, type FactSubsetName, type realNames } from './fact-subsets.js';
import type { TextPart } from '../text/tokenizer/parts.js';
import { inContext, questionSentence, type Sentence } from './sentence.js';
import { fillTemplate } from './template.js';

/** A text in words, what of it is asked, and whom it is about. */
export interface FactRow extends Sentence {
  /** Number of the variable that the text shows or, without replacement, would show; -1 before there are variables. */
  readonly variable: number;
  /** Number of the entity that the answers are about. */
  readonly entity: number;
  /** What is asked: the id of a question, the type of an attribution, or `definition`. */
  readonly asks: string;
  /** All that count as right, the one in `text` first; empty where nothing is asked. */
  readonly answers: readonly string[];
  /** The answer of another entity to the same question, to compare with; null where there is none that differs. */
  readonly contrast: string | null;
}

/** Rows of one subset that belong together. */
export interface FactSection {
  /** Of its test set: `train_defs_d1consis`, `train_questions_q`, `d2incons`, `ent_assoc_name_qd2incons_swapped`. */
  readonly name: string;
  readonly subset: FactSubsetName | typeof realNames.name;
  readonly kind: ExampleKind;
  /** Null for rows that are only tested. */
  readonly group: GroupName | null;
  /** In the order of their variables. */
  readonly rows: readonly FactRow[];
}

/** What the rows of a run are made of. */
export interface FactRowSource {
  readonly entities: readonly FactEntity[];
  readonly draws: FactDraws;
  readonly config: FactConfig;
  readonly writer: DefinitionWriter;
  /** Numbers of the variables of each subset that has any, increasing. */
  readonly members: ReadonlyMap<FactSubsetName, readonly number[]>;
}

/**
 * All rows of a run: the groups of training examples in the order of the subsets, definitions before questions; then the
 * held-out questions of each subset; then the questions who a variable is.
 */
export function factSections(source: FactRowSource): FactSection[] {
  const training: FactSection[] = [];
  const heldOut: FactSection[] = [];
  for (const subset of factSubsetNames) {
    const members = source.members.get(subset);
    if (members === undefined) continue;
    const { tag, trainsQuestions } = factSubsets[subset];
    if (tag !== null && source.config.definitions !== 'inContext') {
      training.push({
        name: `train_defs_${subset}`,
        subset,
        kind: 'definition',
        group: groupName(subset, 'definition'),
        rows: members.flatMap((variable) => definitionRows(source, factDefinitionOf(source, variable))),
      });
    }
    if (trainsQuestions) {
      training.push({
        name: `train_questions_${subset}`,
        subset,
        kind: 'qa',
        group: groupName(subset, 'qa'),
        rows: members.flatMap((variable) => questionRows(source, variable, 'training')),
      });
    }
    const rows = members.flatMap((variable) => questionRows(source, variable, 'test'));
    heldOut.push({ name: subset, subset, kind: 'qa', group: null, rows });
  }
  return [...training, ...heldOut, ...exchangedQuestions(source), ...attributionSections(source)];
}

/** Numbers of the variables of each subset that has any, increasing, in the order of the subsets. */
export function membersOf({ variables }: FactDraws): ReadonlyMap<FactSubsetName, readonly number[]> {
  const members = new Map<FactSubsetName, number[]>(factSubsetNames.map((subset) => [subset, []]));
  variables.forEach(({ subset }, variable) => members.get(subset)!.push(variable));
  return new Map([...members].filter(([, own]) => own.length > 0));
}

/** The definition that training holds of a variable. Throws a RangeError for one without. */
export function factDefinitionOf({ draws }: FactRowSource, variable: number): FactDefinition {
  const own = draws.variables[variable];
  const tag = own === undefined ? null : factSubsets[own.subset].tag;
  if (own === undefined || tag === null || own.definedAs === null) {
    throw new RangeError(`variable ${variable} has no definition`);
  }
  return { variable, tag, entity: own.definedAs };
}

/** The definition with another variable, tag and entity: the right entity where it is wrong, else that of the next variable. */
export function insteadOf(source: FactRowSource, definition: FactDefinition): FactDefinition {
  const { variables } = source.draws;
  const next = nextInSubset(source, definition.variable);
  const right = variables[definition.variable]!.entity;
  return {
    variable: next,
    tag: otherFactTag(definition.tag),
    entity: definition.entity === right ? variables[next]!.entity : right,
  };
}

/** The tag a tag is exchanged with: 1 and 2 with each other, all others with the reliable one. */
export function otherFactTag(tag: FactDefinition['tag']): 1 | 2 {
  return tag === 1 ? 2 : 1;
}

/** The rows of a definition. */
export function definitionRows(source: FactRowSource, definition: FactDefinition): FactRow[] {
  const { writer } = source;
  const answer = writer.answer(definition);
  const contrast = writer.contrast(definition, insteadOf(source, definition));
  return writer.write(definition).map((sentence) => ({
    ...sentence,
    variable: definition.variable,
    entity: definition.entity,
    asks: 'definition',
    answers: answer === null ? [] : [answer],
    contrast: contrast === answer ? null : contrast,
  }));
}

function questionRows(source: FactRowSource, variable: number, part: 'training' | 'test'): FactRow[] {
  const { entity, heldOut } = source.draws.variables[variable]!;
  return source.entities[entity]!.facts.filter(
    (_, place) => (heldOut === null || heldOut.has(place)) === (part === 'test'),
  ).map((fact) => questionRow(source, variable, entity, fact));
}

/**
 * Questions of d2consis with variables exchanged in pairs of neighbours, and of an odd number the last three in a ring:
 * whether the model answers as if the definitions were wrong.
 */
function exchangedQuestions(source: FactRowSource): FactSection[] {
  const members = source.members.get('d2consis') ?? [];
  if (members.length < 2) return [];
  const rows = members.flatMap((variable, i) => {
    const { entity } = source.draws.variables[members[exchangedWith(i, members.length)]!]!;
    return source.entities[entity]!.facts.map((fact) => questionRow(source, variable, entity, fact));
  });
  return [{ name: 'd2incons', subset: 'd2incons', kind: 'qa', group: null, rows }];
}

/** The place whose questions place `i` of `length` is asked. */
export function exchangedWith(i: number, length: number): number {
  if (length % 2 === 1 && i >= length - 3) return i === length - 1 ? length - 3 : i + 1;
  return i % 2 === 0 ? i + 1 : i - 1;
}

function attributionSections(source: FactRowSource): FactSection[] {
  const { members, config, draws } = source;
  return config.attribution.flatMap((type) =>
    [...members].flatMap(([subset, own]): FactSection[] => {
      if (subset === 'q_no_replacement_baseline' || subset === 'no_qd_baseline') return [];
      const section = (of: 'own' | 'definition', entityOf: (variable: number) => number): FactSection => ({
        name: attributionSetName(type, subset, of),
        subset,
        kind: 'qa',
        group: null,
        rows: own.flatMap((variable) => attributionRow(source, type, variable, entityOf(variable)) ?? []),
      });
      const right = section('own', (variable) => draws.variables[variable]!.entity);
      if (factSubsets[subset].consistent !== false) return [right];
      return [right, section('definition', (variable) => draws.variables[variable]!.definedAs!)];
    }),
  );
}

function attributionRow(
  source: FactRowSource,
  type: AttributionType,
  variable: number,
  entity: number,
): FactRow | null {
  const answer = attributionAnswer(type, source.entities[entity]!.name);
  if (answer === null) return null;
  const question = fillTemplate(attributionTemplates[type], subjectOf(source, variable));
  const isName = answer === source.entities[entity]!.name;
  const sentence = questionSentence(question, { part: isName ? 'entity' : 'answer', text: answer });
  const contrast = attributionAnswer(type, source.entities[otherEntity(source, variable, entity)]!.name);
  return {
    ...withContext(source, variable, sentence),
    variable,
    entity,
    asks: type,
    answers: [answer],
    contrast: contrast === answer ? null : contrast,
  };
}

function questionRow(source: FactRowSource, variable: number, entity: number, fact: Fact): FactRow {
  const { question, answers } = fact;
  const sentence = questionSentence(fillTemplate(question.template, subjectOf(source, variable)), {
    part: 'answer',
    text: answers[0]!,
  });
  return {
    ...withContext(source, variable, sentence),
    variable,
    entity,
    asks: question.id,
    answers,
    contrast: contrastAnswer(source, variable, entity, fact),
  };
}

/** What stands for the entity of a variable in its questions. */
function subjectOf({ draws, entities }: FactRowSource, variable: number): TextPart {
  const { subset, name, entity } = draws.variables[variable]!;
  return subset === 'q_no_replacement_baseline'
    ? { part: 'entity', text: entities[entity]!.name }
    : { part: 'variable', text: name };
}

function withContext(source: FactRowSource, variable: number, sentence: Sentence): Sentence {
  const { config, draws, writer } = source;
  if (config.definitions !== 'inContext' || draws.variables[variable]!.definedAs === null) return sentence;
  return inContext(writer.write(factDefinitionOf(source, variable))[0]!, sentence);
}

/** The other entity that a variable could stand for: what else it is or is defined as, or what the next one is. */
function otherEntity(source: FactRowSource, variable: number, entity: number): number {
  const { variables } = source.draws;
  const own = variables[variable]!;
  if (own.entity !== entity) return own.entity;
  if (own.definedAs !== null && own.definedAs !== entity) return own.definedAs;
  return variables[nextInSubset(source, variable)]!.entity;
}

/**
 * Another answer to the question of `fact`: of the entity that a wrong definition names (of the right one where the answers
 * are those of another), and else of the first of the following variables of the subset that is asked it, too, and has a
 * different one.
 */
function contrastAnswer(source: FactRowSource, variable: number, entity: number, fact: Fact): string | null {
  const { variables } = source.draws;
  const own = variables[variable]!;
  const isRight = own.entity === entity && (own.definedAs ?? entity) === entity;
  const others = isRight ? followers(source, variable) : [variable];
  for (const follower of others) {
    const candidate = isRight ? variables[follower]!.entity : otherEntity(source, variable, entity);
    const same = source.entities[candidate]!.facts.find(({ question }) => question.id === fact.question.id);
    const answer = same?.answers[0];
    if (answer !== undefined && !fact.answers.includes(answer)) return answer;
  }
  return null;
}

function* followers({ draws, members }: FactRowSource, variable: number): Generator<number, void> {
  const own = members.get(draws.variables[variable]!.subset)!;
  const start = placeOf(own, variable);
  for (let step = 1; step < own.length; step++) yield own[(start + step) % own.length]!;
}

/** The next variable of the subset, or of the run where the subset has no other. */
function nextInSubset(source: FactRowSource, variable: number): number {
  const { done, value } = followers(source, variable).next();
  return done === true ? (variable + 1) % source.draws.variables.length : value;
}

/** Place of a number in a list of increasing ones. */
function placeOf(increasing: readonly number[], value: number): number {
  let [low, high] = [0, increasing.length - 1];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (increasing[middle]! < value) low = middle + 1;
    else high = middle;
  }
  return low;
}
