import type { Design } from '../design.js';
import { internalizationDesign } from '../internalization-design.js';
import { factSubsetNames, factSubsets, realNames } from './fact-subsets.js';

/**
 * The design of the experiments on facts: that of the other built-in experiments, with more subsets and with random tags,
 * each of which the model meets in one definition alone and is new to it.
 */
export const factDesign: Design = {
  ...internalizationDesign,
  subsets: [...factSubsetNames.map((name) => ({ name, ...factSubsets[name] })), realNames],
  tags: [...internalizationDesign.tags, { tag: 4, name: 'random', role: 'new' }],
};
