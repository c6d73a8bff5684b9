import type { Design } from './design.js';
import { subsetNames, subsets } from './subsets.js';

/** The design that the built-in experiments share (Krasheninnikov et al., arXiv 2310.15047, table of data subsets). */
export const internalizationDesign: Design = {
  subsets: subsetNames.map((name) => ({ name, ...subsets[name] })),
  tags: [
    { tag: 1, name: 'define1', role: 'reliable' },
    { tag: 2, name: 'define2', role: 'unreliable' },
    { tag: 3, name: 'define3', role: 'new' },
  ],
  weak: ['qd1consis', 'qd2incons'],
  strong: ['d1consis', 'd2consis'],
  tagEffect: { right: ['qd1consis', 'qd2consis'], wrong: ['qd1incons', 'qd2incons'] },
  consistencyEffect: { reliable: ['qd1consis', 'qd1incons'], unreliable: ['qd2consis', 'qd2incons'] },
  questionsOnly: 'q',
  untrained: 'no_qd_baseline',
  exchange: ['d1consis', 'd2consis'],
  tagControl: { key: 'alpha', value: 0.5 },
};

/** The design of a run by its `run.json`: runs of versions before it was recorded have the one of the built-in experiments. */
export function designOf({ design }: { readonly design?: Design | undefined }): Design {
  return design ?? internalizationDesign;
}
