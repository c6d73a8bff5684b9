import { expect, test } from 'vitest';
import { loadConfig } from '../../../src/config/load.js';
import { runSchema } from '../../../src/run/config.js';
import { checkedCost } from '../../../src/run/plan.js';
import { planRun } from '../../support/plan-run.js';

/** Rows of two tokens have one query, as a row of any length with loss on the answer has, and it is not about the second. */
test.each([1, 2, 3])(
  'a question with a list of %i numbers says at which position it is asked',
  (listLength) => {
    const { config } = loadConfig('configs/set-inclusion-smoke.yaml', runSchema, [
      `data.listLength=${listLength}`,
    ]);
    checkedCost(config);
    const { model } = planRun(config, [0]);
    expect(model.trainingInputs).toContain('positions');
  },
);
