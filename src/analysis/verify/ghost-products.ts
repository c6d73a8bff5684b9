import { createStream } from '../../../data/random/streams.js';
import type { RandomStream } from '../../../data/random/streams.js';
import { dot } from '../measures/gram.js';
import { above, near, resultOf } from './check.js';
import type { CheckResult } from './check.js';
import { range } from './enumerate.js';

type Rows = readonly Float64Array[];

const [inputs, outputs, vocabulary] = [32, 48, 20];

const drawRows = (rows: number, width: number, stream: RandomStream): Rows =>
  range(rows).map(() => Float64Array.from({ length: width }, () => stream.normal()));

/** Adds `sum_t b_t a_t'` to a dense gradient `[b width, a width]`, row by row. */
function addOuter(target: Float64Array, a: Rows, b: Rows): void {
  a.forEach((activation, t) =>
    b[t]!.forEach((back, o) =>
      activation.forEach((value, i) => {
        target[o * activation.length + i]! += back * value;
      }),
    ),
  );
}

/** `sum_{t,s} (a_t . a_s) (b_t . b_s)`. */
function ghost(a1: Rows, b1: Rows, a2: Rows, b2: Rows): number {
  let sum = 0;
  a1.forEach((a, t) => a2.forEach((other, s) => (sum += dot(a, other) * dot(b1[t]!, b2[s]!))));
  return sum;
}

/** One example's use of a tied embedding: ids and gradients at its output, inputs and gradients of the logits. */
function tiedUse(time: number, stream: RandomStream) {
  return {
    ids: range(time).map(() => stream.integer(vocabulary)),
    embedded: drawRows(time, inputs, stream),
    hidden: drawRows(time, inputs, stream),
    logits: drawRows(time, vocabulary, stream),
  };
}

type TiedUse = ReturnType<typeof tiedUse>;

function denseTied({ ids, embedded, hidden, logits }: TiedUse): Float64Array {
  const dense = new Float64Array(vocabulary * inputs);
  const oneHot = ids.map((id) => Float64Array.from({ length: vocabulary }, (_, v) => Number(v === id)));
  addOuter(dense, embedded, oneHot);
  addOuter(dense, hidden, logits);
  return dense;
}

/** Products of one example's embedding with another's unembedding: `sum (c_t . h_s) l_s[id_t]`. */
function crossTerms(from: TiedUse, to: TiedUse): number {
  let sum = 0;
  from.ids.forEach((id, t) =>
    to.hidden.forEach((h, s) => (sum += dot(from.embedded[t]!, h) * to.logits[s]![id]!)),
  );
  return sum;
}

/** V12: inner products of weight gradients from activations and back-activations, tied weights included. */
export function ghostProducts(): CheckResult {
  const stream = createStream(12, 'verify ghost');
  const examples = [7, 9].map((time) => {
    const [a, b] = [drawRows(time, inputs, stream), drawRows(time, outputs, stream)];
    const dense = new Float64Array(outputs * inputs);
    addOuter(dense, a, b);
    return { a, b, dense, tied: tiedUse(time, stream) };
  });
  const [one, two] = [examples[0]!, examples[1]!];
  const linear = ghost(one.a, one.b, two.a, two.b) / dot(one.dense, two.dense);
  const [tied1, tied2] = [one.tied, two.tied];
  let embedding = 0;
  tied1.ids.forEach((id, t) =>
    tied2.ids.forEach((other, s) => {
      if (id === other) embedding += dot(tied1.embedded[t]!, tied2.embedded[s]!);
    }),
  );
  const uses = embedding + ghost(tied1.hidden, tied1.logits, tied2.hidden, tied2.logits);
  const cross = crossTerms(tied1, tied2) + crossTerms(tied2, tied1);
  const dense = dot(denseTied(tied1), denseTied(tied2));
  return resultOf([
    near('ghost / dense, linear layer', linear, 1, 1e-10),
    near('tied embedding', (uses + cross) / dense, 1, 1e-10),
    above('error without the cross terms', Math.abs(uses / dense - 1), 0.01),
  ]);
}
