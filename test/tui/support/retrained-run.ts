import { createStream } from '../../../data/random/streams.js';
import { openRun } from '../../../src/analysis/run-data.js';
import { scoreRetrained } from '../../../src/analysis/studies/retrain/table.js';
import { NewTables } from '../../../src/store/new-tables.js';
import { tables } from '../../../src/store/tables/registry.js';
import type { RetrainChange } from '../../../src/store/retrain-names.js';
import { dimensions } from './fixture-run.js';

/** Variables with definitions, of two subsets. */
export const retrained = Array.from({ length: 12 }, (_, i) => ({
  subset: i < 6 ? 'd1consis' : 'd2consis',
  variable: 20 + i,
}));

/** What a definition takes from the loss of the questions about its variable, by its tag; of the others: wobble. */
export const taught = { d1consis: 1, d2consis: 0.4 } as const;

/** What the tag alone does. */
export const taughtByTag = 0.6;

/**
 * Adds to a run what retraining would find of a model whose loss is linear: definitions add their effects up, the inner
 * product knows them exactly, and the cosine knows nothing.
 */
export async function writeRetrained(folder: string, seed: number): Promise<void> {
  const random = createStream(seed, 'retrained');
  const effects = retrained.map(({ subset, variable }) =>
    retrained.map((asked) =>
      asked.variable === variable
        ? -(subset === 'd1consis' ? taught.d1consis : taught.d2consis) + 0.01 * random.normal()
        : 0.001 * random.normal(),
    ),
  );
  const halves = Array.from({ length: 20 }, () =>
    random
      .permutation(retrained.length)
      .subarray(0, retrained.length / 2)
      .toSorted(),
  );
  const written = new NewTables(folder);
  const outcomes = written.open({ table: tables.retrained, dimensions });
  const add = (
    change: RetrainChange,
    order: number,
    changed: number | null,
    has: (definition: number) => number,
    subset = changed !== null && !change.startsWith('half') ? retrained[changed]!.subset : 'none',
    shift: (asked: number) => number = () => 0,
  ): void => {
    const isVariable = change === 'drop' || change === 'tag_swap';
    retrained.forEach((asked, j) => {
      const loss = effects.reduce((sum, own, i) => sum + has(i) * own[j]!, 3) + shift(j) + 0.01 * order;
      outcomes.append({
        change,
        order,
        changed_subset: subset,
        changed: changed === null ? null : isVariable ? retrained[changed]!.variable : changed,
        asked_subset: asked.subset,
        asked: asked.variable,
        loss,
        margin: -loss,
        accuracy: 1 - loss / 4,
        losses: [loss, loss],
      });
    });
  };
  for (const order of [0, 1]) {
    add('nothing', order, null, () => 1);
    retrained.forEach((_, dropped) => add('drop', order, dropped, (i) => Number(i !== dropped)));
    for (const subset of ['d1consis', 'd2consis'])
      add('drop_group', order, null, (i) => Number(retrained[i]!.subset !== subset), subset);
    halves.forEach((half, i) => {
      add('half', order, i, (own) => Number(half.includes(own)));
      if (order === 0) add('half_weighted', order, i, (own) => Number(half.includes(own)));
    });
  }
  const swapOf = (definition: number, asked: number): number =>
    definition === asked
      ? (retrained[definition]!.subset === 'd1consis' ? 1 : -1) * taughtByTag + 0.01 * definition
      : 0;
  retrained.forEach((_, swapped) =>
    add(
      'tag_swap',
      0,
      swapped,
      () => 1,
      retrained[swapped]!.subset,
      (j) => swapOf(swapped, j),
    ),
  );
  const list = written.open({ table: tables.retrain_halves, dimensions });
  halves.forEach((half, i) =>
    list.append({ half: i, variables: Array.from(half, (own) => retrained[own]!.variable) }),
  );
  const predictions = written.open({ table: tables.retrain_predictions, dimensions });
  for (const definition of ['definition', 'tag_swap'] as const) {
    retrained.forEach((own, i) =>
      retrained.forEach((asked, j) => {
        const effect = effects[i]![j]! + (definition === 'tag_swap' ? swapOf(i, j) : 0);
        predictions.append({
          subset: own.subset,
          variable: own.variable,
          definition,
          asked_subset: asked.subset,
          asked: asked.variable,
          inner_product: 5 * effect,
          cosine: random.normal(),
          one_step: effect,
          checkpoints: effect,
          path_integral: definition === 'definition' ? effect : null,
          tokens: 3,
        });
      }),
    );
  }
  await written.publish();
  await scoreRetrained(await openRun(folder));
}
