import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, describe, expect, it } from 'vitest';
import { UserError } from '../../../data/errors.js';
import { loadDigits, readDigits } from '../../../data/images/digits.js';
import { parseIdxImages, parseIdxLabels } from '../../../data/images/idx.js';
import { poolImages } from '../../../data/images/pool.js';

const root = fs.mkdtempSync(path.join(os.tmpdir(), 'gradscope-digits-'));
afterAll(() => fs.rmSync(root, { recursive: true, force: true }));

/** An IDX file with any header. */
function idx(magic: number, sizes: readonly number[], body: readonly number[]): Buffer {
  const header = Buffer.alloc(4 * (1 + sizes.length));
  header.writeUInt32BE(magic, 0);
  sizes.forEach((size, i) => header.writeUInt32BE(size, 4 * (i + 1)));
  return Buffer.concat([header, Buffer.from(body)]);
}

const images = (count: number): Buffer =>
  idx(
    2051,
    [count, 2, 3],
    Array.from({ length: count * 6 }, (_, i) => i % 256),
  );
const labels = (values: readonly number[]): Buffer => idx(2049, [values.length], values);

/** A folder of the four files, with some replaced; null leaves one out. */
function folder(name: string, changes: Readonly<Record<string, Buffer | null>> = {}): string {
  const own = path.join(root, name);
  fs.mkdirSync(own);
  const all: Record<string, Buffer | null> = {
    'train-images-idx3-ubyte': images(3),
    'train-labels-idx1-ubyte': labels([1, 0, 1]),
    't10k-images-idx3-ubyte': images(2),
    't10k-labels-idx1-ubyte': labels([0, 1]),
    ...changes,
  };
  for (const [file, bytes] of Object.entries(all)) {
    if (bytes !== null) fs.writeFileSync(path.join(own, file), bytes);
  }
  return own;
}

describe('the packaged MNIST', () => {
  const { train, test } = loadDigits('mnist');
  const sum = (pixels: Uint8Array): number => pixels.reduce((total, pixel) => total + pixel, 0);
  const counts = (own: Uint8Array): number[] =>
    Array.from({ length: 10 }, (_, digit) => own.filter((label) => label === digit).length);

  it('has the published sizes, first images and labels, and class counts', () => {
    expect([train.count, train.rows, train.columns, test.count]).toEqual([60_000, 28, 28, 10_000]);
    expect(sum(train.pixels.subarray(0, 784))).toBe(27_525);
    expect(sum(test.pixels.subarray(0, 784))).toBe(18_454);
    expect([...train.labels.subarray(0, 10)]).toEqual([5, 0, 4, 1, 9, 2, 1, 3, 1, 4]);
    expect([...test.labels.subarray(0, 10)]).toEqual([7, 2, 1, 0, 4, 1, 4, 9, 5, 9]);
    expect(counts(train.labels)).toEqual([5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]);
    expect(counts(test.labels)).toEqual([980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]);
    expect(sum(test.pixels) / test.pixels.length / 255).toBeCloseTo(0.13251, 5);
  });

  it('is read once', () => {
    expect(loadDigits('mnist').train).toBe(train);
  });
});

describe('readDigits', () => {
  it('reads plain and gzip files alike', () => {
    const plain = readDigits(folder('plain'), null);
    const zipped = folder('zipped', { 'train-images-idx3-ubyte': null });
    fs.writeFileSync(path.join(zipped, 'train-images-idx3-ubyte.gz'), gzipSync(images(3)));
    expect(readDigits(zipped, null)).toEqual(plain);
    expect([...plain.train.pixels.subarray(0, 7)]).toEqual([0, 1, 2, 3, 4, 5, 6]);
    expect([...plain.train.labels]).toEqual([1, 0, 1]);
  });

  it.each([
    ['missing', null, /train-images-idx3-ubyte: is missing, and so is train-images-idx3-ubyte\.gz/],
    ['truncated', images(3).subarray(0, 30), /has 30 bytes, but its header says 34 \(3 x 2 x 3\)/],
    ['empty', Buffer.alloc(0), /has 0 bytes, too few for an IDX file of images/],
    [
      'labels in its place',
      labels([1, 2, 3, 4, 5, 6, 7, 8, 9]),
      /is no IDX file of images \(it starts with 2049, expected 2051\)/,
    ],
    ['of another count', images(4), /has 3 labels for the 4 images of .*train-images-idx3-ubyte/],
  ])('refuses a file that is %s, in one line with its name', (name, bytes, message) => {
    const own = folder(`bad-${name}`, { 'train-images-idx3-ubyte': bytes });
    expect(() => readDigits(own, null)).toThrow(UserError);
    expect(() => readDigits(own, null)).toThrow(message);
    expect(() => readDigits(own, null)).toThrow(/^[^\n]*$/);
  });

  it('refuses gzip that is none, parts of different sizes, and a wrong checksum', () => {
    const broken = folder('broken', { 't10k-labels-idx1-ubyte': null });
    fs.writeFileSync(path.join(broken, 't10k-labels-idx1-ubyte.gz'), 'no gzip');
    expect(() => readDigits(broken, null)).toThrow(/t10k-labels-idx1-ubyte\.gz: cannot be read/);
    const sizes = folder('sizes', { 't10k-images-idx3-ubyte': idx(2051, [2, 1, 1], [0, 0]) });
    expect(() => readDigits(sizes, null)).toThrow('training images are 2 x 3 pixels, test images 1 x 1');
    const hashes = { 'train-images-idx3-ubyte': 'ab' };
    expect(() => readDigits(folder('checksum'), hashes)).toThrow(
      /is not the MNIST file \(sha256 [0-9a-f]{64}, expected ab\)/,
    );
  });
});

describe('poolImages', () => {
  it('averages squares of the central crop and sorts images by class', () => {
    const pixels = Uint8Array.from({ length: 2 * 36 }, (_, i) => (i * 7) % 256);
    const pooled = poolImages(
      { count: 2, rows: 6, columns: 6, pixels, labels: Uint8Array.from([1, 0]) },
      4,
      2,
    );
    expect(pooled.side).toBe(2);
    const mean = (image: number, y: number, x: number): number =>
      [0, 1]
        .flatMap((dy) => [0, 1].map((dx) => pixels[image * 36 + (1 + 2 * y + dy) * 6 + 1 + 2 * x + dx]!))
        .reduce((a, b) => a + b) /
      4 /
      255;
    const expected = [0, 1].flatMap((image) => [0, 1].flatMap((y) => [0, 1].map((x) => mean(image, y, x))));
    pooled.pixels.forEach((value, i) => expect(value).toBeCloseTo(expected[i]!, 6));
    expect(pooled.byClass.map((own) => [...own])).toEqual([[1], [0]]);
  });
});

describe('parseIdx', () => {
  it('takes a view into a larger buffer', () => {
    const framed = Buffer.concat([Buffer.alloc(5), images(1)]);
    expect([...parseIdxImages('x', framed.subarray(5)).pixels]).toEqual([0, 1, 2, 3, 4, 5]);
    expect([...parseIdxLabels('x', labels([3]))]).toEqual([3]);
  });
});
