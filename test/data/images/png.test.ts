import { inflateSync } from 'node:zlib';
import { Resvg } from '@resvg/resvg-js';
import { expect, it } from 'vitest';
import { encodePng } from '../../../data/images/png.js';

const pixels = Uint8Array.from({ length: 15 }, (_, i) => i * 17);

it('writes the lines unfiltered between header and end', () => {
  const file = Buffer.from(encodePng(5, 3, pixels));
  expect(file.subarray(0, 8).toString('hex')).toBe('89504e470d0a1a0a');
  expect(file.subarray(12, 16).toString()).toBe('IHDR');
  expect([file.readUInt32BE(16), file.readUInt32BE(20), file[24], file[25]]).toEqual([5, 3, 8, 0]);
  const length = file.readUInt32BE(33);
  const lines = inflateSync(file.subarray(41, 41 + length));
  const expected = [0, 1, 2].flatMap((y) => [0, ...pixels.subarray(5 * y, 5 * y + 5)]);
  expect([...lines]).toEqual(expected);
});

it('is read by another program as it was written', () => {
  const data = Buffer.from(encodePng(5, 3, pixels)).toString('base64');
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" width="5" height="3"><image width="5" height="3" xlink:href="data:image/png;base64,${data}"/></svg>`;
  const drawn = new Resvg(svg).render().pixels;
  expect(Array.from({ length: 15 }, (_, i) => drawn[4 * i])).toEqual([...pixels]);
});

it('refuses another number of pixels', () => {
  expect(() => encodePng(4, 4, pixels)).toThrow('15 pixels are not 4 x 4');
});
