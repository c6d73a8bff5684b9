import { UserError } from '../errors.js';
import type { FieldBuffers, FieldSpecs } from '../experiment.js';
import { float32Field, int32Field } from '../fields.js';
import type { PooledImages } from '../images/pool.js';
import type { LossConfig } from '../loss.js';
import { subsets, type Tag } from '../subsets.js';
import { compose } from './compose.js';
import type { ImageLayout } from './layout.js';
import { wholeGrid, type GridRow } from './rows.js';
import type { TagPattern } from './tags.js';
import { variableSubset, type Variables } from './variables.js';

/** What every row of a run is written with. */
export interface WriterOptions {
  readonly layout: ImageLayout;
  readonly variables: Variables;
  readonly tags: readonly [TagPattern, TagPattern, TagPattern];
  /** Labels a cell can have; the answer of this number is "no answer". */
  readonly labels: number;
  readonly loss: LossConfig;
}

/** What a definition says, where it is not what training says. */
export interface DefinitionChange {
  readonly tag?: Tag;
  /** `[variable, cell]` labels. */
  readonly defined?: Uint8Array;
}

/** Throws a UserError for a loss that images do not have. */
export function checkLoss(loss: LossConfig): void {
  if (loss.target !== 'answer') {
    throw new UserError('loss.target: mnist-qa has no text to predict, only answers; set it to answer');
  }
}

/** Fields of a training row: the image, and for every cell a label and its weight in the loss. */
export function imageTrainingFields({ height, width, cells }: ImageLayout): FieldSpecs {
  return {
    image: { dtype: 'float32', shape: [height, width, 1] },
    labels: { dtype: 'int32', shape: [cells] },
    weights: { dtype: 'float32', shape: [cells] },
  };
}

/** Fields of a test row: those of a training row and `contrast`, a wrong answer for every cell. */
export function testFields(layout: ImageLayout): FieldSpecs {
  return { ...imageTrainingFields(layout), contrast: { dtype: 'int32', shape: [layout.cells] } };
}

/** Writes a row as training sees it: a definition with all labels, a question with one and "no answer" elsewhere. */
export function writeImageRow(
  options: WriterOptions,
  digits: PooledImages,
  row: GridRow,
  images: ArrayLike<number>,
  slot: number,
  buffers: FieldBuffers,
  change: DefinitionChange = {},
): void {
  const { layout, variables, tags } = options;
  const { variable, cell } = row;
  const isDefinition = cell === wholeGrid;
  const own = subsets[variableSubset(variables, variable)].tag;
  const tag = isDefinition ? (change.tag ?? own) : null;
  const shown = tag === null ? null : tags[tag - 1]!;
  compose(layout, digits, { images, tag: shown, framed: cell }, slot, float32Field(buffers, 'image'));
  writeAnswers(options, row, slot, buffers, change);
}

/** The labels of a training row, and their weights in the loss. */
export function writeAnswers(
  { layout, variables, labels, loss }: WriterOptions,
  { variable, cell }: GridRow,
  slot: number,
  buffers: FieldBuffers,
  change: DefinitionChange,
): void {
  const { cells } = layout;
  const isDefinition = cell === wholeGrid;
  const defined = change.defined ?? variables.defined;
  const target = int32Field(buffers, 'labels');
  const weights = float32Field(buffers, 'weights');
  const weight = loss.normalisation === 'example' ? 1 / cells : 1;
  for (let place = 0; place < cells; place++) {
    const at = variable * cells + place;
    const answer = isDefinition ? defined[at]! : place === cell ? variables.labels[at]! : labels;
    target[slot * cells + place] = answer;
    weights[slot * cells + place] = weight;
  }
}

/**
 * Writes a row as a test asks it. Of a question only the framed cell counts (masked accuracy), of a definition all do;
 * the contrast of a definition is the other entity, or another label where both have the same.
 */
export function writeTestRow(
  options: WriterOptions,
  digits: PooledImages,
  row: GridRow,
  images: ArrayLike<number>,
  slot: number,
  buffers: FieldBuffers,
): void {
  writeImageRow(options, digits, row, images, slot, buffers);
  const { variables, layout, labels } = options;
  const { cells } = layout;
  const weights = float32Field(buffers, 'weights');
  const contrast = int32Field(buffers, 'contrast');
  for (let place = 0; place < cells; place++) {
    const at = row.variable * cells + place;
    if (row.cell === wholeGrid) {
      const [said, other] = [variables.defined[at]!, variables.otherDefined[at]!];
      contrast[slot * cells + place] = said === other ? (said + 1) % labels : other;
    } else {
      contrast[slot * cells + place] = variables.contrast[at]!;
      weights[slot * cells + place] = place === row.cell ? 1 : 0;
    }
  }
}
