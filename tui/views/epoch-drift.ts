import { programCommand } from '../../data/shell-word.js';
import { tables } from '../../src/store/tables/registry.js';
import type { RunSource } from '../data/run-source.js';
import type { ViewContext } from '../view/context.js';
import { integerColumn, numberColumn, textColumn, type List } from '../view/list.js';
import { listOverSection } from '../view/list-over-section.js';
import { messagePanel, type ViewPanel } from '../view/picture.js';
import { signed } from '../view/text.js';

const title = 'drift';
const question = 'Do epochs that shuffle end where the variance penalty says? Null: the prediction.';

const columns = [
  'stage',
  'step',
  'learning_rate',
  'minibatches',
  'batch_size',
  'measured_norm',
  'predicted_norm',
  'projection',
  'cosine',
] as const;

/** Where short shuffled epochs end beyond those with replacement, at the checkpoints of a run, and what was predicted. */
export async function epochDriftPanel(context: ViewContext, run: RunSource): Promise<ViewPanel> {
  const table = await run.tables.read(tables.epoch_drift, columns);
  if (table === null || table.rows === 0) {
    const command = programCommand('probe', '--only', 'epoch-drift', run.entry.path);
    return messagePanel(title, question, [
      `No table epoch_drift: end points of short epochs are measured at checkpoints by ${command}`,
    ]);
  }
  const { stage, step, learning_rate: rate, minibatches, batch_size: size } = table.columns;
  const { measured_norm: measured, predicted_norm: predicted, projection, cosine } = table.columns;
  const list: List = {
    length: table.rows,
    id: () => null,
    columns: [
      integerColumn('step', (row) => step[row]!),
      textColumn('stage', (row) => stage.text(row), 8),
      numberColumn('learning rate', 'rate', (row) => rate[row]!),
      integerColumn('minibatches', (row) => minibatches[row]!),
      integerColumn('of examples', (row) => size[row]!),
      numberColumn('|drift|', 'parameter', (row) => measured[row]!),
      numberColumn('|predicted|', 'parameter', (row) => predicted[row]!),
      signed('along/predicted', (row) => projection.values[row]!),
      signed('cosine', (row) => cosine.values[row]!),
    ],
  };
  return listOverSection(context, run, {
    title,
    question,
    list,
    section: 'epochDrift',
    note: 'drift: mean end point of shuffled epochs - of those with replacement',
  });
}
