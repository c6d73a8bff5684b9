import type { HeatScale } from './heat-map.js';

/** Codes of the 256-colour table from the lowest to the highest level. */
const ramps: Readonly<Record<HeatScale, readonly number[]>> = {
  // Blue for negative and orange for positive, told apart by colour-blind readers too; light in the middle.
  diverging: [24, 31, 74, 117, 153, 195, 255, 230, 223, 216, 209, 166, 130],
  sequential: [230, 193, 151, 115, 73, 67, 61, 55, 54],
};

/** Colours of the ramps on which white text reads better than black. */
const dark = new Set([24, 31, 67, 61, 55, 54, 130, 166]);

/** The background of a cell in the 256-colour table, for a level of a heat map. */
export function heatBackground(level: number, scale: HeatScale): number {
  const colors = ramps[scale];
  const unit = scale === 'diverging' ? (level + 1) / 2 : level;
  return colors[Math.max(0, Math.min(colors.length - 1, Math.round(unit * (colors.length - 1))))]!;
}

/** White (231) or black (16), whichever reads on a background of `heatBackground`. */
export const heatForeground = (background: number): number => (dark.has(background) ? 231 : 16);
