import { programCommand } from '../../../data/shell-word.js';
import { tables } from '../../../src/store/tables/registry.js';
import { pathColumns, pathCurves, type PathCurves, type PathTable } from '../../data/transfer-path.js';
import type { RunSource } from '../../data/run-source.js';
import { pathsOf, versionsOf } from '../../view/arms.js';
import type { ViewContext } from '../../view/context.js';
import type { LineFigure } from '../../view/figure.js';
import { figurePicture } from '../../view/figure-panel.js';
import { cut } from '../../view/layout.js';
import { messagePanel, type ViewPanel } from '../../view/picture.js';
import { quantityLines } from '../../view/quantities.js';
import { bandNote, seedBand } from '../../view/seed-band.js';
import { paint } from '../../view/style.js';

const question =
  'Over the stage with definitions, do first-order predictions of all updates add up to the change of the loss?';

const shownParts = [
  ['actual', 'actual'],
  ['predicted', 'predicted, added up'],
  ['midpoint', 'predicted, trapezoidal'],
] as const;

/** Transfer along the updates of the stage with definitions; null where no run has measured it. */
export async function transferPathPanel(
  context: ViewContext,
  run: RunSource,
  shown: readonly RunSource[],
): Promise<ViewPanel | null> {
  const found: PathTable[] = [];
  for (const own of shown) {
    const table = await own.tables.read(tables.transfer_path, pathColumns);
    if (table !== null) found.push(table);
  }
  if (found.length === 0) return null;
  const curves = found.map(pathCurves);
  const subsets = [...new Set(curves.flatMap((own) => own.map(({ subset }) => subset)))];
  const curveOf = (own: readonly PathCurves[], subset: string): PathCurves | undefined =>
    own.find((one) => one.subset === subset);
  return {
    title: 'path',
    question,
    choices: null,
    drills: null,
    draw(state, box, style) {
      const figure: LineFigure = {
        kind: 'line',
        title: 'change of the loss of the questions since the stage began',
        note: bandNote(curves.length),
        series: subsets.flatMap((subset) =>
          shownParts.map(([part, name]) =>
            seedBand(
              `${subset} ${name}`,
              curves.flatMap((own) => {
                const curve = curveOf(own, subset);
                return curve === undefined ? [] : [{ x: curve.steps, y: curve[part] }];
              }),
            ),
          ),
        ),
        xLabel: 'step',
        yLabel: 'change of the loss, nats',
        logX: false,
        logY: false,
        bands: [],
        markers: [],
      };
      const section = context.want(`path ${pathsOf(context.arm)}`, versionsOf(context.arm), () =>
        context.numbers.section(context.arm, 'transferPath'),
      );
      const table =
        section.kind === 'value'
          ? section.value === null
            ? []
            : [
                ...quantityLines(section.value, { width: box.width, style, seed: run.seed }),
                paint(cut(`from: ${section.value.source}`, box.width, style), 'dim', style),
              ]
          : [section.kind === 'failed' ? section.reason : 'measuring ...'];
      return figurePicture(figure, table, state, box, style);
    },
  };
}

/** Says how the path is measured, for runs that have not. */
export const noPath = (run: RunSource): ViewPanel =>
  messagePanel('path', question, [
    `No table transfer_path: updates of the stage with definitions are replayed by ${programCommand('probe', run.entry.path)}`,
  ]);
