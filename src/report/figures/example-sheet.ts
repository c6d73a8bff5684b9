import { UserError } from '../../../data/errors.js';
import type { ExampleSet, ExperimentData, ImageShape, TrainSubset } from '../../../data/experiment.js';
import { allocateFields, float32Field, int32Field } from '../../../data/fields.js';
import { encodePng } from '../../../data/images/png.js';
import { createStream } from '../../../data/random/streams.js';
import { fonts } from './fonts.js';
import type { Drawing } from './svg.js';
import { escapeXml } from './xml.js';

/** Screen pixels for one pixel of an image, at least; small images are enlarged to this width. */
const imageWidth = 132;
const gap = 14;
const lineHeight = 15;
const titleWidth = 210;

/**
 * Examples of every group of training rows of all stages and of every test set, a row each: the image as the model sees it, and below
 * it its target. Throws a UserError for data that are no images.
 *
 * @param trainOn what the stages train on; a group that several of them train on is shown once
 * @param examples of each group and set; fewer where it has fewer
 */
export function exampleSheet(
  data: ExperimentData,
  trainOn: readonly TrainSubset[],
  examples: number,
  seed: number,
): Drawing {
  const { shape } = data;
  if (shape.modality !== 'image') throw new UserError('a sheet shows images, and this experiment is on text');
  const trained = [...new Set(trainOn)].map((subset) => data.training(subset));
  const groups = data.groups.flatMap((name, index) => {
    const found = trained.map((set) => ({
      name,
      set,
      rows: firstRows(set, examples, (row) => set.group[row] === index),
    }));
    return found.filter(({ rows }) => rows.length > 0).slice(0, 1);
  });
  const tests = data.tests
    .filter(({ name, subset }) => name === subset)
    .map(({ name, examples: set }) => ({
      name: `test ${name}`,
      set,
      rows: firstRows(set, examples, () => true),
    }));
  const rowsOfTarget = Math.ceil(shape.queries / shape.queryColumns);
  const scale = Math.max(1, Math.round(imageWidth / shape.width));
  const picture = { width: shape.width * scale, height: shape.height * scale };
  const rowHeight = picture.height + rowsOfTarget * lineHeight + 2 * gap;
  const all = [...groups, ...tests];
  const parts = all.flatMap(({ name, set, rows }, i) => {
    const top = gap + i * rowHeight;
    const pictures = rows.map((row, column) =>
      drawExample(shape, set, row, seed, titleWidth + column * (picture.width + gap), top, scale),
    );
    return [text(name, gap, top + picture.height / 2, 13), ...pictures];
  });
  const width = titleWidth + examples * (picture.width + gap);
  const height = gap + all.length * rowHeight;
  const svg =
    `<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" width="${width}" height="${height}">` +
    `<rect width="100%" height="100%" fill="white"/>${parts.join('')}</svg>`;
  return { width, height, svg };
}

/** Rows of as many different variables as there are, so that a sheet does not show one variable only. */
function firstRows(set: ExampleSet, count: number, wanted: (row: number) => boolean): number[] {
  const rows: number[] = [];
  const seen = new Set<number>();
  for (let row = 0; row < set.size && rows.length < count; row++) {
    if (!wanted(row) || seen.has(set.variable[row]!)) continue;
    seen.add(set.variable[row]!);
    rows.push(row);
  }
  return rows;
}

function drawExample(
  shape: ImageShape,
  set: ExampleSet,
  row: number,
  seed: number,
  left: number,
  top: number,
  scale: number,
): string {
  const buffers = allocateFields(set.fields, 1);
  set.fill([row], 0, buffers, () => createStream(seed, `sheet/${row}`));
  const { height, width, channels } = shape;
  const image = float32Field(buffers, 'image');
  const [low, high] = image.reduce(([a, b], value) => [Math.min(a, value), Math.max(b, value)], [0, 0]);
  const pixels = new Uint8Array(width * scale * height * scale);
  for (let y = 0; y < height * scale; y++) {
    for (let x = 0; x < width * scale; x++) {
      const source = (Math.floor(y / scale) * width + Math.floor(x / scale)) * channels;
      pixels[y * width * scale + x] = Math.round((255 * (image[source]! - low)) / (high - low || 1));
    }
  }
  const png = Buffer.from(encodePng(width * scale, height * scale, pixels)).toString('base64');
  const target = targetLines(shape, int32Field(buffers, 'labels'), float32Field(buffers, 'weights'));
  return (
    `<image x="${left}" y="${top}" width="${width * scale}" height="${height * scale}" xlink:href="data:image/png;base64,${png}"/>` +
    target
      .map((line, i) => text(line, left, top + height * scale + (i + 1) * lineHeight, 13, fonts.mono))
      .join('')
  );
}

/** The answers in the order of the picture. */
function targetLines(
  { answers, queryColumns }: ImageShape,
  labels: Int32Array,
  weights: Float32Array,
): string[] {
  const cells = Array.from(labels, (label, query) => (weights[query]! > 0 ? answers[label]! : '.'));
  return Array.from({ length: Math.ceil(cells.length / queryColumns) }, (_, line) =>
    cells.slice(line * queryColumns, (line + 1) * queryColumns).join(' '),
  );
}

function text(content: string, x: number, y: number, size: number, family: string = fonts.sans): string {
  return `<text x="${x}" y="${y}" font-family="${family}" font-size="${size}">${escapeXml(content)}</text>`;
}
