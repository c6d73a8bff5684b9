import type { RunSource } from '../data/run-source.js';
import { pathsOf, versionsOf } from './arms.js';
import type { ViewContext } from './context.js';
import { drawList } from './draw-list.js';
import { cut, cutLines } from './layout.js';
import type { List } from './list.js';
import type { ViewPanel } from './picture.js';
import { quantityLines } from './quantities.js';
import { paint } from './style.js';

export interface ListOverSection extends Pick<ViewPanel, 'title' | 'question'> {
  /** What was measured of a run, a row a checkpoint. */
  readonly list: List;
  /** Section of the report whose quantities stand below it. */
  readonly section: string;
  /** Of both, for people. */
  readonly note: string;
}

/** What was measured of one run at its checkpoints, and below it the quantities of a section over the runs of its arm. */
export function listOverSection(
  context: ViewContext,
  run: RunSource,
  { title, question, list, section: id, note }: ListOverSection,
): ViewPanel {
  return {
    title,
    question,
    choices: null,
    drills: null,
    draw(state, box, style) {
      const section = context.want(`${id} ${pathsOf(context.arm)}`, versionsOf(context.arm), () =>
        context.numbers.section(context.arm, id),
      );
      const table =
        section.kind === 'value'
          ? section.value === null
            ? []
            : [
                '',
                ...quantityLines(section.value, { width: box.width, style, seed: run.seed }),
                paint(cut(`${note}; from: ${section.value.source}`, box.width, style), 'dim', style),
              ]
          : [section.kind === 'failed' ? section.reason : 'measuring ...'];
      // The list of checkpoints is short: the table takes what it leaves.
      const height = Math.min(list.length + 1, Math.max(4, box.height >> 1));
      const picture = drawList({ list, state, box: { width: box.width, height }, style });
      return { ...picture, lines: cutLines([...picture.lines, ...table], box.height, style) };
    },
  };
}
