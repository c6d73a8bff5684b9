import type { Style } from '../../../tui/view/style.js';

/** Neither colours nor signs beyond ASCII's frames, and no screen reader: what tests read most easily. */
export const plainStyle: Style = { colour: false, ascii: false, screenReader: false };
