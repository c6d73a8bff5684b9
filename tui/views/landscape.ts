import { tables } from '../../src/store/tables/registry.js';
import { programCommand } from '../../data/shell-word.js';
import type { RunSource } from '../data/run-source.js';
import type { ViewContext } from '../view/context.js';
import { integerColumn, numberColumn, textColumn, type List } from '../view/list.js';
import { listOverSection } from '../view/list-over-section.js';
import { messagePanel, type ViewPanel } from '../view/picture.js';
import { signed } from '../view/text.js';

const question = 'How do the loss, its curvature and its noise stand to each other at the checkpoints?';

const floats = [
  'loss',
  'loss_gradient_norm',
  'gamma',
  'variance_gradient_norm',
  'variance_loss_cosine',
  'gsnr',
  'lambda_max',
] as const;

/** Loss, curvature and noise of a run at its checkpoints. */
export async function landscapePanel(context: ViewContext, run: RunSource): Promise<ViewPanel> {
  const table = await run.tables.read(tables.landscape, ['stage', 'step', ...floats]);
  if (table === null) {
    return messagePanel('landscape', question, [
      `No table landscape: curvature and the gradient of the variance are measured by ${programCommand('probe', run.entry.path)}`,
    ]);
  }
  const { step, stage } = table.columns;
  const of = (name: (typeof floats)[number]) => {
    const column = table.columns[name];
    const values = ArrayBuffer.isView(column) ? column : column.values;
    return (row: number): number => values[row]!;
  };
  const list: List = {
    length: table.rows,
    id: () => null,
    columns: [
      integerColumn('step', (row) => step[row]!),
      textColumn('stage', (row) => stage.text(row), 8),
      numberColumn('loss', 'nats', of('loss')),
      numberColumn('|grad C|', 'nats/parameter', of('loss_gradient_norm')),
      numberColumn('Gamma', 'nats^2/parameter^2', of('gamma')),
      numberColumn('|grad Gamma|', 'nats^2/parameter^3', of('variance_gradient_norm')),
      signed('cosine', of('variance_loss_cosine')),
      numberColumn('GSNR', '1', of('gsnr')),
      numberColumn('lambda_max', 'nats/parameter^2', of('lambda_max')),
    ],
  };
  return listOverSection(context, run, {
    title: 'landscape',
    question,
    list,
    section: 'landscape',
    note: 'cosine: of the gradients of Gamma and of the loss',
  });
}
