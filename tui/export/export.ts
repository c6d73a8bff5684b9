import { UserError } from '../../data/errors.js';
import type { Picture } from '../view/picture.js';
import { rowsOf } from '../../src/report/slice/slice.js';
import { toArrow } from '../../src/report/slice/arrow.js';
import { toCsv } from '../../src/report/slice/csv.js';
import { toSvg, type Caption } from './svg.js';

/** The formats that the end of a file's name chooses. */
export const formats = ['.arrow', '.csv', '.svg'] as const;

/** A file to write, and what it holds for people. */
export interface Exported {
  readonly content: string | Uint8Array;
  readonly what: string;
}

/**
 * What is on screen in the format that a file's name asks for. Throws a UserError for another format, for a figure where
 * there is none, and where there are no numbers.
 */
export function exportPicture(file: string, picture: Picture, caption: Caption): Exported {
  const { command } = caption;
  if (file.endsWith('.svg')) {
    if (picture.figure === null) throw new UserError('there is no chart here; take .arrow or .csv');
    return { content: toSvg(picture.figure, caption), what: 'a figure' };
  }
  const slice = picture.slice();
  const rows = rowsOf(slice);
  if (rows === 0) throw new UserError('there is nothing to export here');
  const what = `${rows} ${rows === 1 ? 'row' : 'rows'}`;
  if (file.endsWith('.csv')) return { content: toCsv(slice), what };
  if (file.endsWith('.arrow')) return { content: toArrow(slice, command), what };
  throw new UserError(`${file}: the name must end in ${formats.join(', ')}`);
}
