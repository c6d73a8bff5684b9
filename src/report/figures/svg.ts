import { Resvg } from '@resvg/resvg-js';
import { fonts } from './fonts.js';
import { escapeXml } from './xml.js';

/** A drawing with its size in pixels. */
export interface Drawing {
  readonly width: number;
  readonly height: number;
  readonly svg: string;
}

/** Drawings side by side, under one title, on white. */
export function besides(title: string, drawings: readonly Drawing[]): Drawing {
  const top = 36;
  const width = drawings.reduce((sum, own) => sum + own.width, 0);
  const height = top + Math.max(...drawings.map((own) => own.height));
  let left = 0;
  const placed = drawings.map((own) => {
    const group = `<g transform="translate(${left},${top})">${own.svg}</g>`;
    left += own.width;
    return group;
  });
  const svg =
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}">` +
    `<rect width="100%" height="100%" fill="white"/>` +
    `<text x="12" y="22" font-family="${fonts.sans}" font-size="14" font-weight="bold">${escapeXml(title)}</text>` +
    `${placed.join('')}</svg>`;
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
