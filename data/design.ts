import { z } from 'zod';
import { UserError } from './errors.js';

/**
 * What the design of an experiment is: its subsets of variables, the tags of their definitions, and which subsets are
 * compared. It is declared beside the data of an experiment and written into `run.json`; analysis, figures and browser
 * take subsets and their roles from there.
 */

/** What a tag says of definitions: those of trained variables are mostly right, mostly wrong, or it was never trained. */
export type TagRole = 'reliable' | 'unreliable' | 'new';

/** A tag that a definition can carry. */
export interface TagDesign {
  /** As in the column `tag` of the table `examples`. */
  readonly tag: number;
  readonly name: string;
  readonly role: TagRole;
}

/**
 * Part of the training data that a subset's rows belong to: `X1` variables are trained with questions, `X2` variables are
 * new, and of `none` nothing is trained. The rows of `facts` are about entities by their own names: a model is pretrained
 * on them, and they can be replayed while it is finetuned.
 */
export type Part = 'X1' | 'X2' | 'none' | 'facts';

/** What distinguishes one subset of variables from another. */
export interface SubsetDesign {
  readonly name: string;
  readonly part: Part;
  /** Tag of its definitions, or null when it has none. */
  readonly tag: number | null;
  /** Whether its definitions agree with its question-answer pairs; null when it has no definitions. */
  readonly consistent: boolean | null;
  /** Whether training holds question-answer pairs about its variables. */
  readonly trainsQuestions: boolean;
  /** One line for screens and reports. */
  readonly description: string;
}

/** Two subsets of which the first is predicted to be answered better. */
export type SubsetPair = readonly [string, string];

/** Subsets, tags, and what is compared. */
export interface Design {
  /** In the order of logs and screens. */
  readonly subsets: readonly SubsetDesign[];
  readonly tags: readonly TagDesign[];
  /** Weak internalization: X1 with the reliable tag, X1 with the unreliable tag. */
  readonly weak: SubsetPair;
  /** Strong internalization: X2 with the reliable tag, X2 with the unreliable tag. */
  readonly strong: SubsetPair;
  /** The tag alone: reliable against unreliable, definitions equally right, and equally wrong. Null without such subsets. */
  readonly tagEffect: { readonly right: SubsetPair; readonly wrong: SubsetPair } | null;
  /** Consistency alone: right against wrong definitions with the same tag. Null without such subsets. */
  readonly consistencyEffect: { readonly reliable: SubsetPair; readonly unreliable: SubsetPair } | null;
  /** X1 without definitions; null without such a subset. */
  readonly questionsOnly: string | null;
  /** Variables that are never trained on: the baseline. Null without such a subset. */
  readonly untrained: string | null;
  /** The pair whose tags can be exchanged, which is {@link strong}, so that its gap is averaged over both; or null. */
  readonly exchange: SubsetPair | null;
  /**
   * Key of the `data` of a config and its value at which tags say nothing of definitions: runs with it are the control of
   * runs that differ from them in nothing else. Left out where there is none.
   */
  readonly tagControl?: { readonly key: string; readonly value: number } | undefined;
}

/** Names are parts of group names, ids and columns: no space and no slash. */
const subsetName = z
  .string()
  .max(100)
  .regex(/^[A-Za-z_][\w.-]*$/, 'expected letters, digits, _, dots and hyphens, a letter or _ first');
const pair = z.tuple([subsetName, subsetName]).readonly();

/** Schema of a design, its cross-references included. */
export const designSchema: z.ZodType<Design> = z
  .object({
    subsets: z
      .array(
        z.object({
          name: subsetName,
          part: z.enum(['X1', 'X2', 'none', 'facts']),
          tag: z.int().nullable(),
          consistent: z.boolean().nullable(),
          trainsQuestions: z.boolean(),
          description: z.string(),
        }),
      )
      .readonly(),
    tags: z
      .array(z.object({ tag: z.int(), name: z.string(), role: z.enum(['reliable', 'unreliable', 'new']) }))
      .readonly(),
    weak: pair,
    strong: pair,
    tagEffect: z.object({ right: pair, wrong: pair }).nullable(),
    consistencyEffect: z.object({ reliable: pair, unreliable: pair }).nullable(),
    questionsOnly: subsetName.nullable(),
    untrained: subsetName.nullable(),
    exchange: pair.nullable(),
    tagControl: z.object({ key: z.string(), value: z.number() }).optional(),
  })
  .superRefine((design, context) => {
    if (context.issues.length > 0) return;
    for (const { path, message } of designProblems(design)) {
      context.addIssue({ code: 'custom', path: path.split('.'), message });
    }
  });

/**
 * Checks a design and returns it. Throws a UserError, one line, for one whose parts do not fit.
 *
 * @param experiment name, for the message
 */
export function checkDesign(experiment: string, design: Design): Design {
  const parsed = designSchema.safeParse(design);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const place = ['design', ...(issue?.path ?? [])].join('.');
  throw new UserError(`experiment ${experiment}: ${place}: ${issue?.message ?? 'is no design'}`);
}

interface DesignProblem {
  readonly path: string;
  readonly message: string;
}

function designProblems(design: Design): DesignProblem[] {
  const problems: DesignProblem[] = [];
  const check = (good: boolean, path: string, message: string): void => {
    if (!good) problems.push({ path, message });
  };
  const names = design.subsets.map(({ name }) => name);
  const tags = design.tags.map(({ tag }) => tag);
  check(new Set(names).size === names.length, 'subsets', 'two subsets have the same name');
  check(new Set(tags).size === tags.length, 'tags', 'two tags have the same number');
  design.subsets.forEach(({ name, part, tag, consistent, trainsQuestions }, i) => {
    const at = `subsets.${i}`;
    check(
      tag === null || tags.includes(tag),
      `${at}.tag`,
      `${name} has the tag ${tag}, which is not among tags`,
    );
    check(
      (tag === null) === (consistent === null),
      `${at}.consistent`,
      `${name}: consistent is about definitions: null where tag is null, and nowhere else`,
    );
    check(
      part === 'X1' ? tag !== null || trainsQuestions : !trainsQuestions,
      `${at}.trainsQuestions`,
      `${name}: ${part === 'X1' ? 'nothing of it is trained' : `questions are trained of X1 alone, not of ${part}`}`,
    );
    check(
      part === 'X1' || (part === 'X2') === (tag !== null),
      `${at}.tag`,
      `${name}: definitions are trained of X1 and X2, and every subset of X2 has them`,
    );
  });
  const requireSubset = (
    path: string,
    name: string,
    fits: (own: SubsetDesign) => boolean,
    what: string,
  ): void => {
    const own = design.subsets.find((subset) => subset.name === name);
    check(own !== undefined && fits(own), path, `${name} is no subset ${what}`);
  };
  const requirePair = (
    path: string,
    [first, second]: SubsetPair,
    part: Part,
    roles: readonly [TagRole, TagRole],
  ): void => {
    for (const [i, name] of [first, second].entries()) {
      requireSubset(
        `${path}.${i}`,
        name,
        (own) => own.part === part && roleOfTag(design, own.tag) === roles[i],
        `of ${part} with ${roles[i] === 'unreliable' ? 'an unreliable' : 'a reliable'} tag`,
      );
    }
  };
  const bothTags = ['reliable', 'unreliable'] as const;
  requirePair('weak', design.weak, 'X1', bothTags);
  requirePair('strong', design.strong, 'X2', bothTags);
  if (design.tagEffect !== null) {
    requirePair('tagEffect.right', design.tagEffect.right, 'X1', bothTags);
    requirePair('tagEffect.wrong', design.tagEffect.wrong, 'X1', bothTags);
  }
  if (design.consistencyEffect !== null) {
    const { reliable, unreliable } = design.consistencyEffect;
    requirePair('consistencyEffect.reliable', reliable, 'X1', ['reliable', 'reliable']);
    requirePair('consistencyEffect.unreliable', unreliable, 'X1', ['unreliable', 'unreliable']);
  }
  const { questionsOnly, untrained, exchange, strong } = design;
  if (questionsOnly !== null) {
    requireSubset(
      'questionsOnly',
      questionsOnly,
      ({ part, tag }) => part === 'X1' && tag === null,
      'of X1 without a tag',
    );
  }
  if (untrained !== null)
    requireSubset('untrained', untrained, ({ part }) => part === 'none', 'of part none');
  check(
    exchange === null || exchange.every((name) => strong.includes(name)),
    'exchange',
    'it is the pair of strong, or null',
  );
  return problems;
}

function roleOfTag({ tags }: Design, tag: number | null): TagRole | null {
  return tags.find((own) => own.tag === tag)?.role ?? null;
}

/** What the tag of a subset's definitions says; null for a subset without one, or one that the design does not know. */
function roleOfSubset(design: Design, subset: string): TagRole | null {
  return roleOfTag(design, subsetOf(design, subset)?.tag ?? null);
}

/**
 * Whether the definitions of weak internalization's two subsets are right with the reliable tag and wrong with the other:
 * its gap is then one of tag and consistency together.
 */
export function weakIsConfounded(design: Design): boolean {
  const [reliable, unreliable] = design.weak.map((name) => subsetOf(design, name)?.consistent);
  return reliable === true && unreliable === false;
}

/** A subset by name; undefined for a name that the design does not know. */
export function subsetOf({ subsets }: Design, name: string): SubsetDesign | undefined {
  return subsets.find((own) => own.name === name);
}

/** New variables (X2) whose right definitions have a tag that stage 1 never uses; null where there are none. */
export function unseenTagSubset(design: Design): string | null {
  const unseen = new Set(design.tags.filter(({ role }) => role === 'new').map(({ tag }) => tag));
  const found = design.subsets.find(
    ({ part, tag, consistent }) => part === 'X2' && consistent === true && tag !== null && unseen.has(tag),
  );
  return found?.name ?? null;
}

/** New variables (X2) of which a definition has the reliable or an unreliable tag, which a tag swap turns into the other. */
export function newSubsets(design: Design, role?: 'reliable' | 'unreliable'): string[] {
  return design.subsets
    .filter(({ name, part }) => {
      const own = roleOfSubset(design, name);
      return (
        part === 'X2' && (role === undefined ? own === 'reliable' || own === 'unreliable' : own === role)
      );
    })
    .map(({ name }) => name);
}

/** Which of the two tags a definition shows; `other` for a new tag or none. */
export type ShownTag = 'reliable' | 'unreliable' | 'other';

/**
 * The tag that a definition of a subset shows.
 *
 * @param isSwapped whether it is the one with the tag swapped, which has the reliable tag where its own is another
 */
export function shownTag(design: Design, subset: string, isSwapped = false): ShownTag {
  const role = roleOfSubset(design, subset);
  if (isSwapped) return role === 'reliable' ? 'unreliable' : 'reliable';
  return role === 'reliable' || role === 'unreliable' ? role : 'other';
}

/** Whether a training row states a definition or asks a question. */
export type ExampleKind = 'definition' | 'qa';

/** A group of training examples that the gradient log keeps apart: a subset and a kind, such as `learnt/qa`. */
export type GroupName = `${string}/${ExampleKind}`;

export function groupName<Subset extends string, Kind extends ExampleKind>(
  subset: Subset,
  kind: Kind,
): `${Subset}/${Kind}` {
  return `${subset}/${kind}`;
}

/** Inverse of {@link groupName}. Throws a TypeError for text that is no group name. */
export function parseGroupName(group: string): { subset: string; kind: ExampleKind } {
  const [subset = '', kind, ...rest] = group.split('/');
  if (subset === '' || (kind !== 'definition' && kind !== 'qa') || rest.length > 0) {
    throw new TypeError(`not a group name: ${group}`);
  }
  return { subset, kind };
}

/**
 * Throws a UserError for data with groups or test sets of subsets that the design of their experiment does not declare.
 *
 * @param experiment name, for the message
 */
export function requireDesigned(
  experiment: string,
  design: Design,
  {
    groups,
    tests,
  }: { readonly groups: readonly string[]; readonly tests: readonly { readonly subset: string }[] },
): void {
  const isKnown = (name: string): boolean => subsetOf(design, name) !== undefined;
  for (const group of groups) {
    const [subset = '', kind, ...rest] = group.split('/');
    if (isKnown(subset) && (kind === 'definition' || kind === 'qa') && rest.length === 0) continue;
    throw new UserError(
      `experiment ${experiment}: its data have the group ${group}, which is no subset of its design with /definition or ` +
        `/qa behind it (subsets: ${design.subsets.map(({ name }) => name).join(', ')})`,
    );
  }
  const unknown = tests.find(({ subset }) => !isKnown(subset));
  if (unknown !== undefined) {
    throw new UserError(
      `experiment ${experiment}: its data have a test set of ${unknown.subset}, which is no subset of its design ` +
        `(subsets: ${design.subsets.map(({ name }) => name).join(', ')})`,
    );
  }
}
