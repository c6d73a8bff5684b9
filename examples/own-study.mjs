// A study of one's own, a further section of the report: how the loss of the minibatches falls in the first stage.
// `gradscope analyze runs/greater --study examples/own-study.mjs`
import { defineStudy, readTable, tables } from 'gradscope';

/** Mean of some numbers. */
const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;

export default defineStudy({
  id: 'lossCourse',
  title: 'Loss of the minibatches in the first stage',
  quantities: [
    {
      id: 'drop',
      label: 'mean loss of the first tenth of the updates minus that of the last tenth',
      unit: 'nats',
      null: { kind: 'zero', label: '0, nothing learnt' },
    },
    { id: 'end', label: 'mean loss of the last tenth of the updates', unit: 'nats', null: null },
  ],
  async measure(run) {
    const steps = await readTable(run, tables.steps, ['loss']);
    // Null: the section is left out where no run has the table.
    if (steps === null) return null;
    const loss = steps.columns.loss.slice(0, run.info.stages[0].steps);
    // A text says why there is no value.
    if (loss.length < 10)
      return { drop: 'the stage has fewer than 10 updates', end: 'the stage has fewer than 10 updates' };
    const tenth = Math.floor(loss.length / 10);
    const end = mean(loss.slice(-tenth));
    return { drop: mean(loss.slice(0, tenth)) - end, end };
  },
});
