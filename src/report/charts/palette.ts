/** Codes of the 256-colour table, one a series; after the last the first comes again. */
export type Palette = readonly number[];

/**
 * Colours with a contrast of at least 3 to 1 (WCAG 2.2, 1.4.11) to a black and to a white background, neighbours
 * far apart also for colour-blind readers.
 */
export const defaultPalette: Palette = [33, 166, 29, 170, 136, 98, 161, 30];
