import type { ConfigProblem } from '../config-problem.js';
import type { DrawnSubset, MnistQaConfig } from './config.js';
import { imageLayout } from './layout.js';

/** Classes of digits; more would be possible only with other images. */
const classes = 10;

/** Memory of a picture while it trains grows with its pixels; drawing the test images takes seconds for this many. */
const mostPixels = 1 << 20;
const mostDigits = 50_000_000;
/** Tags are drawn up to ten thousand times before their demands are given up. */
const mostTagBlocks = 4096;

/** Values that are possible each by itself but not together; empty for a good config. */
export function mnistQaProblems(config: MnistQaConfig): ConfigProblem[] {
  const { grid, variables, fractions, heldOutCells, mixture, image } = config;
  const problems: ConfigProblem[] = [];
  const check = (good: boolean, path: string, message: string): void => {
    if (!good) problems.push({ path, message });
  };
  const cells = grid * grid;
  const grids = classes ** cells;
  check(
    variables <= grids,
    'variables',
    `${variables} pairs of variable and entity, but there are only ${grids} grids of ${grid} x ${grid} digits; ` +
      'use fewer, or a larger grid',
  );
  const trainsQuestions = fractions.qd1consis + fractions.qd2incons + fractions.q > 0;
  check(
    !trainsQuestions || heldOutCells < cells,
    'heldOutCells',
    `${heldOutCells} cells are held out of ${cells}, which leaves no question to train on; lower it or raise grid`,
  );
  const sum = Object.values(fractions).reduce((total, fraction) => total + fraction, 0);
  check(
    Math.abs(sum - 1) < 1e-9,
    'fractions',
    `they sum to ${Number(sum.toPrecision(6))}; make it 1 (no_qd_baseline takes variables that are not trained on)`,
  );
  for (const key of Object.keys(mixture) as DrawnSubset[]) {
    check(
      fractions[key] === 0 || mixture[key] > 0,
      `mixture.${key}`,
      `${key} has variables but is never drawn; give it a probability, or fractions.${key} 0`,
    );
    check(
      mixture[key] === 0 || mixture[key] >= 1e-6,
      `mixture.${key}`,
      `${mixture[key]} is so small that ${key} is never drawn; give at least 0.000001, or 0 and fractions.${key} 0`,
    );
  }
  check(
    image.crop % image.pooling === 0,
    'image.crop',
    `${image.crop} pixels cannot be averaged over squares of ${image.pooling}; make it a multiple`,
  );
  const { width, height, tagBlocks } = imageLayout(config);
  check(
    width * height <= mostPixels,
    'grid',
    `pictures of ${width} x ${height} pixels, and ${mostPixels} in all are the most; lower grid or image.crop`,
  );
  check(
    tagBlocks <= mostTagBlocks,
    'image.tagBlock',
    `a tag of ${tagBlocks} squares, and ${mostTagBlocks} are the most; make the squares larger or the strip lower`,
  );
  // Each cell may be a question of its own, and shows all cells.
  const shown = variables * (cells + 1) * cells * config.testImages;
  check(
    shown <= mostDigits,
    'testImages',
    `tests would show up to ${shown} digits, and ${mostDigits} are the most; lower testImages, variables or grid`,
  );
  check(
    image.stripHeight % image.tagBlock === 0 && width % image.tagBlock === 0,
    'image.tagBlock',
    `tag squares of ${image.tagBlock} pixels do not fill a strip of ${width} x ${image.stripHeight}; ` +
      'choose a divisor of both',
  );
  check(
    image.tagWhite <= tagBlocks && image.tagDistance <= tagBlocks,
    'image.tagDistance',
    `a tag of ${tagBlocks} squares cannot have ${image.tagWhite} white ones and differ from another in ` +
      `${image.tagDistance}; make the squares smaller or the strip higher`,
  );
  return problems;
}
