import { composedEpoch } from '../../../data/composed-epoch.js';
import { compositionShape } from '../../../data/composition.js';
import type { PairUnit } from '../../../data/pairs.js';
import { createStream } from '../../../data/random/streams.js';
import type { RandomStream } from '../../../data/random/streams.js';
import { compositionLaw } from '../measures/composition-law.js';
import { sharingProbabilities, shuffledSharing } from '../measures/cooccurrence-law.js';
import { gramOf } from '../measures/gram.js';
import type { Gram } from '../measures/gram.js';
import { length, shifted } from '../measures/hessian-vector.js';
import { moments } from '../inference/spread.js';
import { near, present, relative, resultOf } from './check.js';
import type { VerificationResult } from './check.js';
import { cosineOf } from './cosine-of.js';
import { descentRates, meanIterate, meanNormGradient } from './descent.js';
import { permutationsOf } from './enumerate.js';
import { smallLoss } from './network.js';
import { meanBatchNorm2 } from './partition-average.js';

const [examples, batchSize, draws] = [12, 4, 5000];

/** Pairs (0,1), (2,3), ... */
const units: readonly PairUnit[] = Array.from({ length: examples / 2 }, (_, pair) => ({
  definition: 2 * pair,
  questions: [2 * pair + 1],
}));

const rows = { examples, batchSize, variables: units.length, questionsPerVariable: 1 };

/** How pairs are placed, the probabilities of two rows, and how an epoch is drawn. */
interface Placement {
  readonly name: 'together' | 'apart' | 'random';
  readonly matched: number;
  readonly mismatched: number;
  readonly draw: (random: RandomStream) => readonly (readonly number[])[];
}

function placements(): Placement[] {
  const composed = (['together', 'apart'] as const).map((place): Placement => {
    const shape = compositionShape(rows, { share: 1, place });
    const { within, across } = sharingProbabilities(shape, place);
    return {
      name: place,
      matched: within,
      mismatched: across,
      draw: (random) => composedEpoch(shape, place, units, random).map((own) => [...own]),
    };
  });
  const any = shuffledSharing(examples, batchSize);
  const random: Placement = {
    name: 'random',
    matched: any,
    mismatched: any,
    draw: (stream) => {
      const order = Array.from(stream.permutation(examples));
      return Array.from({ length: examples / batchSize }, (_, k) =>
        order.slice(k * batchSize, (k + 1) * batchSize),
      );
    },
  };
  return [...composed, random];
}

/** Gradients of which every odd one takes after the even one before it. */
function pairedGram(): Gram {
  const { start, gradients } = smallLoss('12,4');
  const own = gradients.map((gradient) => gradient(start));
  return gramOf(
    own.map((g, i) => (i % 2 === 0 ? g : own[i - 1]!.map((even, p) => 0.6 * even + 0.8 * g[p]!))),
  );
}

/** V4: the norm of minibatch gradients follows from who shares a batch with whom, at equal batch size. */
export function batchComposition(): VerificationResult {
  const gram = pairedGram();
  const stream = createStream(4, 'verify composition');
  const golden = { together: 2.13004, apart: 1.51186, random: 1.68046 } as const;
  return resultOf(
    placements().flatMap(({ name, matched, mismatched, draw }) => {
      const law = compositionLaw(gram, batchSize, (i, j) => (i >> 1 === j >> 1 ? matched : mismatched));
      const norms = Array.from({ length: draws }, () => meanBatchNorm2(gram, [draw(stream)]));
      const { mean, standardDeviation } = moments(norms);
      return [
        near(`law, pairs ${name}`, law, golden[name], 1e-5),
        near(`simulated, pairs ${name}`, mean, present(law), (3 * standardDeviation!) / Math.sqrt(draws)),
      ];
    }),
  );
}

/** V4b: one epoch with pairs together ends elsewhere than one with pairs apart, by the predicted force. */
export function compositionDynamics(): VerificationResult {
  const { start, batch } = smallLoss('4,5');
  const partitions = [
    [
      [
        [0, 1],
        [2, 3],
      ],
    ],
    [
      [
        [0, 2],
        [1, 3],
      ],
      [
        [0, 3],
        [1, 2],
      ],
    ],
  ].map((kind) => kind.map((batches) => batches.map((own) => batch(own))));
  const [together, apart] = partitions.map((kind) => meanNormGradient(kind.flat())(start));
  const golden = [
    [2.494e-3, 2.451e-3, 0.9994],
    [6.181e-4, 6.127e-4, 0.999851],
    [1.539e-4, 1.532e-4, 0.999963],
  ];
  const comparisons = descentRates.flatMap((epsilon, row) => {
    const [a, b] = partitions.map((kind) => meanIterate(kind.flatMap(permutationsOf), start, epsilon));
    const observed = shifted(a!, -1, b!);
    const predicted = shifted(together!, -1, apart!).map((force) => (-2 * epsilon ** 2 * force) / 4);
    return [
      near(
        `cosine of observed and predicted shift at ${epsilon}`,
        cosineOf(observed, predicted),
        golden[row]![2]!,
        1e-5,
      ),
      relative('observed', length(observed), golden[row]![0]!, 1e-3),
      relative('predicted', length(predicted), golden[row]![1]!, 1e-3),
    ];
  });
  return resultOf(comparisons);
}
