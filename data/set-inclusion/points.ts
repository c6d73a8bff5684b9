import { randomNames } from '../names.js';
import { PythonRandom } from '../random/python-random.js';
import type { SetInclusionConfig } from './config.js';

/** Training questions of a variable, true ones first; it has as many test questions. */
export const questionsPerPart = 12;
const truePerPart = questionsPerPart / 2;
const questionsPerVariable = 2 * questionsPerPart;

/** Everything that is drawn for the variables of a run, whatever their subset. */
export interface Points {
  /** `[variable]` names of three letters. */
  readonly names: readonly string[];
  /** `[variable]` the number a variable stands for. */
  readonly value: Int32Array;
  /** `[variable]` another number: what an inconsistent definition names. */
  readonly falseValue: Int32Array;
  /** `[variable, part, question, listLength]` lists of numbers; part 0 is for training, 1 for tests. */
  readonly lists: Int32Array;
  /** `[variable, part, question]` 1 where the answer is true. */
  readonly answers: Uint8Array;
}

/** Index of a question in `answers`; times `listLength` that of its list in `lists`. */
export function questionIndex(variable: number, part: 'train' | 'test', question: number): number {
  return variable * questionsPerVariable + (part === 'test' ? questionsPerPart : 0) + question;
}

/**
 * Draws values, questions and names in the order of the published generator, from one Python generator.
 *
 * For each variable: all numbers are shuffled; `intersection` of them are sampled, the first is its value; a false
 * value is chosen; then 6 true and 6 false training lists (the intersection and others; none of it), 6 true and 6
 * false test lists (the value and others; not the value); then one number for each training question decides whether
 * a true label flips to false. Names are drawn after all variables.
 *
 * @example draw({ variables: 8000, maxNumber: 98, listLength: 8, ... }, 0).names[0] // 'ukj'
 */
export function drawPoints(config: SetInclusionConfig, seed: number): Points {
  const { variables, listLength: k, intersection, labelFlipProbability } = config;
  const random = new PythonRandom(seed);
  const value = new Int32Array(variables);
  const falseValue = new Int32Array(variables);
  const lists = new Int32Array(variables * questionsPerVariable * k);
  const answers = new Uint8Array(variables * questionsPerVariable);
  const ordered = Array.from({ length: config.maxNumber + 1 }, (_, number) => number);

  for (let variable = 0; variable < variables; variable++) {
    const numbers = ordered.slice();
    random.shuffle(numbers);
    const shared = random.sample(numbers, intersection);
    const own = shared[0]!;
    const others = numbers.filter((number) => number !== own);
    const isShared = new Set(shared);
    const outside = numbers.filter((number) => !isShared.has(number));
    value[variable] = own;
    falseValue[variable] = random.choice(others);

    let question = questionIndex(variable, 'train', 0);
    const add = (list: readonly number[], answer: boolean) => {
      lists.set(list, question * k);
      answers[question++] = answer ? 1 : 0;
    };
    for (let i = 0; i < truePerPart; i++) {
      const list = random.sample(outside, k - intersection).concat(shared);
      random.shuffle(list);
      add(list, true);
    }
    for (let i = 0; i < truePerPart; i++) add(random.sample(outside, k), false);
    for (let i = 0; i < truePerPart; i++) {
      const list = [own, ...random.sample(others, k - 1)];
      random.shuffle(list);
      add(list, true);
    }
    for (let i = 0; i < truePerPart; i++) add(random.sample(others, k), false);

    // Drawn even when nothing can flip, so that the probability changes no other number.
    const first = questionIndex(variable, 'train', 0);
    for (let i = first; i < first + questionsPerPart; i++) {
      if (random.random() < labelFlipProbability) answers[i] = 0;
    }
  }
  return { names: randomNames(variables, 3, random), value, falseValue, lists, answers };
}
