import type { ViewContext, ViewSpec } from '../view/context.js';
import { messagePanel, type ViewModel } from '../view/picture.js';
import { epochDriftPanel } from './epoch-drift.js';
import { landscapePanel } from './landscape.js';
import { noisePanel } from './minibatch/noise.js';
import { penaltyPanel } from './penalty.js';

/** How large is the noise of the gradients, and does its penalty follow the law? */
export const varianceView: ViewSpec = {
  id: 'variance',
  short: 'noise',
  question: 'How large is the noise of the gradients, and does its penalty follow the law?',
  load,
};

async function load(context: ViewContext): Promise<ViewModel> {
  const { current } = context;
  if (current === null) return { panels: [messagePanel('penalty', '', ['There is no run to look at.'])] };
  return {
    panels: [
      await penaltyPanel(context, current),
      noisePanel(context, current),
      await landscapePanel(context, current),
      await epochDriftPanel(context, current),
    ],
  };
}
