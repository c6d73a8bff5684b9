import type { ConfigProblem } from '../config-problem.js';
import type { SetInclusionConfig } from './config.js';

const threeLetterNames = 26 ** 3;

/** For every variable all numbers are shuffled, and lists drawn: seconds for this many. */
const mostDraws = 20_000_000;

/** Values that are possible each by itself but not together; empty for a good config. */
export function setInclusionProblems(config: SetInclusionConfig): ConfigProblem[] {
  const { variables, maxNumber, listLength, intersection, definitionOrder, format, names } = config;
  const problems: ConfigProblem[] = [];
  const check = (good: boolean, path: string, message: string) => {
    if (!good) problems.push({ path, message });
  };
  check(
    variables <= threeLetterNames,
    'variables',
    `${variables} variables, but only ${threeLetterNames} names of three letters; use at most that many`,
  );
  check(
    intersection <= listLength,
    'intersection',
    `a true list shares ${intersection} numbers but has ${listLength}; lower intersection or raise listLength`,
  );
  check(
    listLength + intersection <= maxNumber + 1,
    'listLength',
    `false lists of ${listLength} avoid ${intersection} of the ${maxNumber + 1} numbers 0 to ${maxNumber}; ` +
      `lower listLength or raise maxNumber to ${listLength + intersection - 1} or more`,
  );
  const draws = variables * (maxNumber + 1 + 24 * listLength);
  check(
    draws <= mostDraws,
    'maxNumber',
    `${variables} variables draw from ${maxNumber + 1} numbers, ${draws} draws, and ${mostDraws} are the most; ` +
      'lower maxNumber, listLength or variables',
  );
  const sum = Object.values(config.fractions).reduce((total, fraction) => total + fraction, 0);
  check(
    Math.abs(sum - 1) < 1e-9,
    'fractions',
    `they sum to ${Number(sum.toPrecision(6))}; make it 1 (no_qd_baseline takes variables that are not trained on)`,
  );
  check(
    format === 'compact' || maxNumber <= 99,
    'maxNumber',
    `the vocabulary of format paper ends at 99, not ${maxNumber}; lower it or use format compact`,
  );
  check(
    format === 'paper' || names === 'used',
    'names',
    `all names are words of format paper only; set names to used or format to paper`,
  );
  check(
    format === 'paper' || !definitionOrder.endsWith('v'),
    'definitionOrder',
    `a definition in order ${definitionOrder} is answered with a variable, which format compact cannot; use format paper`,
  );
  return problems;
}
