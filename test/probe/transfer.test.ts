import { beforeAll, expect, test } from 'vitest';
import { createStream } from '../../data/random/streams.js';
import { loadConfig } from '../../src/config/load.js';
import { choosePanel } from '../../src/probe/panel/panel.js';
import { createTransferMeter, type TransferUpdate } from '../../src/probe/transfer.js';
import { runSchema } from '../../src/run/config.js';
import { planRun } from '../support/plan-run.js';
import { Learner } from '../../src/train/learner.js';
import { useTestEngine } from '../train/support/engine.js';
import { tiny } from '../run/support.js';

beforeAll(useTestEngine);

test('steps taken together are those taken one by one', () => {
  const { config } = loadConfig('configs/set-inclusion-smoke.yaml', runSchema, [...tiny, 'model.layers=1']);
  const plan = planRun(config, [0]);
  const learner = new Learner(plan.model, 1, 'example');
  learner.initialise([createStream(3, 'initialisation')]);
  const values = learner.read();
  const panel = choosePanel(
    plan.data[0]!,
    { variablesPerSubset: 2, questions: 3 },
    createStream(0, 'panel'),
    () => createStream(0, 'panel/examples'),
  );
  const plain: TransferUpdate = { kind: 'sgd', stepSize: 1e-2, preconditioner: null, unseen: null };
  const shaped: TransferUpdate = { ...plain, kind: 'optimizer', stepSize: 0.1, preconditioner: values };
  // Some definitions share their questions.
  const pairs = [0, 0, 1, 2, 1].map((set, i) => ({ definition: i, set }));
  const meter = createTransferMeter(plan.model, learner.blocks);
  const together = meter(values, panel, pairs, [plain, shaped]);
  expect(together.map(({ update }) => update)).toEqual([
    ...pairs.map(() => 'sgd'),
    ...pairs.map(() => 'optimizer'),
  ]);
  for (const [i, pair] of pairs.entries()) {
    for (const [u, update] of [plain, shaped].entries()) {
      const [alone] = meter(values, panel, [pair], [update]);
      const own = together[u * pairs.length + i]!;
      expect(own).toMatchObject({ definition: pair.definition, set: pair.set });
      const { loss, actual, predicted, curvature, normUpdate, normQuestions, cosine } = alone!;
      // Losses are float32 of size 1, and so are their changes.
      expect(Math.abs(own.loss - loss)).toBeLessThan(1e-6);
      expect(Math.abs(own.actual - actual)).toBeLessThan(1e-6);
      expect(Math.abs(own.curvature - curvature)).toBeLessThan(1e-6);
      expect(own.predicted / predicted).toBeCloseTo(1, 4);
      expect(own.normUpdate / normUpdate).toBeCloseTo(1, 5);
      expect(own.normQuestions / normQuestions).toBeCloseTo(1, 5);
      expect(own.cosine!).toBeCloseTo(cosine!, 5);
    }
  }
  meter.dispose();
  learner.dispose();
});
