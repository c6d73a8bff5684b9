import { Resvg } from '@resvg/resvg-js';
import { fonts } from './fonts.js';
import { escapeXml } from './xml.js';

/** A drawing with its size in pixels. */
export interface Drawing {
  readonly width: number;
  readonly height: number;
  readonly svg: string;
}

/** Pixels above drawings that have a title. */
const titleHeight = 36;

/** Drawings side by side, under one title where it is not empty, on white. */
export function besides(title: string, drawings: readonly Drawing[]): Drawing {
  const top = title === '' ? 0 : titleHeight;
  const width = drawings.reduce((sum, own) => sum + own.width, 0);
  const height = top + Math.max(...drawings.map((own) => own.height));
  let left = 0;
  const placed = drawings.map((own) => {
    const group = `<g transform="translate(${left},${top})">${own.svg}</g>`;
    left += own.width;
    return group;
  });
  return titled(title, width, height, placed);
}

/** Drawings below each other, under one title, on white. */
export function stacked(title: string, drawings: readonly Drawing[]): Drawing {
  const width = Math.max(...drawings.map((own) => own.width));
  let top = titleHeight;
  const placed = drawings.map((own) => {
    const group = `<g transform="translate(0,${top})">${own.svg}</g>`;
    top += own.height;
    return group;
  });
  return titled(title, width, top, placed);
}

function titled(title: string, width: number, height: number, content: readonly string[]): Drawing {
  const svg =
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}">` +
    `<rect width="100%" height="100%" fill="white"/>` +
    `<text x="12" y="22" font-family="${fonts.sans}" font-size="14" font-weight="bold">${escapeXml(title)}</text>` +
    `${content.join('')}</svg>`;
  return { width, height, svg };
}

/**
 * A drawing as a PNG file, `scale` pixels for one. Text is drawn with the fonts of the system; where there are none it is
 * missing, and the SVG has it.
 */
export function toPng({ svg, width }: Drawing, scale = 2): Uint8Array {
  return new Resvg(svg, {
    fitTo: { mode: 'width', value: width * scale },
    font: { loadSystemFonts: true },
  })
    .render()
    .asPng();
}
