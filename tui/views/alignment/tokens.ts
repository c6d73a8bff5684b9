import { programCommand } from '../../../data/shell-word.js';
import type { TokenExample } from '../../data/panel-tokens.js';
import type { RunSource } from '../../data/run-source.js';
import { moreText } from '../../view/layout.js';
import type { ViewPanel } from '../../view/picture.js';
import { numbers, texts, type Slice } from '../../../src/report/slice/slice.js';
import { paint, type Style } from '../../view/style.js';
import { tokenLines } from '../../view/token-lines.js';
import { wrapped } from '../../view/picture.js';

/** Why a run has no texts of its panel, and what to do; `isTold` where the experiment describes its examples. */
export function noTokens(run: RunSource, isTold: boolean): string {
  return isTold
    ? 'The experiment does not tell what its examples say.'
    : `No table panel_tokens: what definitions and questions say is written by ${programCommand('probe', run.entry.path)}`;
}

/** Lines of examples, at most `height`; the last one then says how many are left out. */
export function tokenSummary(
  examples: readonly TokenExample[],
  width: number,
  height: number,
  style: Style,
): string[] {
  const lines = tokenLines(examples, width, style);
  if (lines.length <= height) return lines;
  // An example keeps the line below it.
  const kept = Math.max(0, height - 1) & ~1;
  const left = moreText(
    lines.length - kept,
    'line',
    lines.length,
    { ...style, printed: false },
    'enter, tab',
  );
  return [...lines.slice(0, kept), paint(left, 'dim', style)];
}

/** What the definitions of an entity and its questions say, scrolled by `j` and `k`. */
export function tokensPanel(examples: readonly TokenExample[], reason: string): ViewPanel {
  return {
    title: 'tokens',
    question:
      'What do its definitions and questions say? Below each token its id, and what it is; | stands where the model answers.',
    choices: null,
    drills: null,
    draw(state, { width, height }, style) {
      const lines = examples.length === 0 ? wrapped(reason, width) : tokenLines(examples, width, style);
      const isWhole = lines.length <= height;
      const page = isWhole ? height : Math.max(1, height - 1);
      const row = Math.max(0, Math.min(lines.length - page, state.row));
      const left = lines.length - page - row;
      const note = left > 0 ? moreText(left, 'line', lines.length, style, 'j') : '(k: back up)';
      return {
        lines: [...lines.slice(row, row + page), ...(isWhole ? [] : [paint(note, 'dim', style)])],
        list: isWhole
          ? null
          : {
              length: lines.length - page + 1,
              page,
              row,
              id: null,
              columns: [],
              column: 0,
              numeric: [],
              placeOf: null,
            },
        axis: null,
        figure: null,
        slice: () => tokenSlice(examples),
      };
    },
  };
}

function tokenSlice(examples: readonly TokenExample[]): Slice {
  const rows = examples.flatMap(({ role, pieces }, example) =>
    pieces.map((piece, place) => ({ example, role, place, ...piece })),
  );
  return {
    columns: [
      numbers(
        'example',
        '1',
        rows.map(({ example }) => example),
      ),
      texts(
        'role',
        rows.map(({ role }) => role),
      ),
      numbers(
        'place',
        '1',
        rows.map(({ place }) => place),
      ),
      texts(
        'text',
        rows.map(({ text }) => text),
      ),
      numbers(
        'token',
        '1',
        rows.map(({ token }) => token),
      ),
      texts(
        'kind',
        rows.map(({ kind }) => kind),
      ),
      numbers(
        'asked',
        '1',
        rows.map(({ isAsked }) => Number(isAsked)),
      ),
    ],
  };
}
