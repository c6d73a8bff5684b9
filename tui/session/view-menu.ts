import { fitText } from '../../src/report/charts/text-width.js';
import type { ViewSpec } from '../view/context.js';
import { signs, type Box, type Style } from '../view/style.js';
import type { Overlay } from './frame.js';

/** What is typed into the list of views, and the row that enter opens. */
export interface ViewMenu {
  readonly text: string;
  readonly row: number;
}

/**
 * Views that a typed text names, in their order: those whose name begins with it, then those that have it in their
 * name or question. All of them for an empty text.
 */
function matchingViews(views: readonly ViewSpec[], text: string): readonly ViewSpec[] {
  const wanted = text.trim().toLowerCase();
  const begins = ({ id, short }: ViewSpec): boolean => id.startsWith(wanted) || short.startsWith(wanted);
  const holds = ({ id, question }: ViewSpec): boolean => `${id} ${question}`.toLowerCase().includes(wanted);
  return [...views.filter(begins), ...views.filter((own) => !begins(own) && holds(own))];
}

/** The row in force: the one that was chosen, or the last there is. */
const rowOf = ({ row }: ViewMenu, matching: readonly ViewSpec[]): number =>
  Math.max(0, Math.min(row, matching.length - 1));

/** The view that enter opens; null where none matches. */
export function chosenView(views: readonly ViewSpec[], menu: ViewMenu): ViewSpec | null {
  const matching = matchingViews(views, menu.text);
  return matching[rowOf(menu, matching)] ?? null;
}

/** The list of views after an arrow key: the row goes round. */
export function moveInMenu(views: readonly ViewSpec[], menu: ViewMenu, by: 1 | -1): ViewMenu {
  const matching = matchingViews(views, menu.text);
  if (matching.length === 0) return menu;
  return { ...menu, row: (rowOf(menu, matching) + by + matching.length) % matching.length };
}

/** The list of views on screen: number key, name and question of each; `body` is the room for its lines. */
export function viewOverlay(views: readonly ViewSpec[], menu: ViewMenu, body: Box, style: Style): Overlay {
  const matching = matchingViews(views, menu.text);
  const row = rowOf(menu, matching);
  const { cursor, more } = signs(style);
  const width = Math.max(...views.map(({ id }) => id.length));
  return {
    title: 'Views (type a part of a name, arrows choose, enter opens, esc closes)',
    lines:
      matching.length === 0
        ? ['no view has this in its name or question']
        : matching.map((own, i) => {
            const number = views.indexOf(own) + 1;
            const key = number <= 9 ? String(number) : ' ';
            const line = `${i === row ? cursor : ' '}  ${key}  ${own.id.padEnd(width)}  ${own.question}`;
            return fitText(line, body.width, more).trimEnd();
          }),
    top: Math.max(0, row - body.height + 1),
  };
}
