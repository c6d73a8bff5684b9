import { createStream } from '../../../data/random/streams.js';
import type { RandomStream } from '../../../data/random/streams.js';
import { factoredProduct, type FactoredGradient } from '../factored-gradients.js';
import { dot } from '../measures/gram.js';
import { above, near, resultOf } from './check.js';
import type { VerificationResult } from './check.js';

const [inputs, outputs, vocabulary] = [32, 48, 20];

type FactoredUse = NonNullable<ReturnType<FactoredGradient['uses']['get']>>[number];

/** Uses of parameters by one example with the dense gradients that they make, formed entry by entry. */
interface Example {
  readonly gradient: FactoredGradient;
  readonly dense: ReadonlyMap<string, Float64Array>;
}

const draw = (count: number, stream: RandomStream): Float32Array =>
  Float32Array.from({ length: count }, () => stream.normal());

function example(number: number, time: number, stream: RandomStream): Example {
  const linear = { left: draw(time * inputs, stream), right: draw(time * outputs, stream) };
  const vector = draw(outputs, stream);
  const ids = Int32Array.from({ length: time }, () => stream.integer(vocabulary));
  // The gradients at the embedding's output, and a tied unembedding's inputs with the gradients of its logits.
  const embedded = draw(time * inputs, stream);
  const hidden = draw(time * inputs, stream);
  const logits = draw(time * vocabulary, stream);
  const none = { left: new Float32Array(0), ids: new Int32Array(0), size: 0 };
  const embedding: FactoredUse = {
    ...none,
    kind: 'embedding',
    rows: time,
    ids,
    right: embedded,
    size: vocabulary,
  };
  const unembedding: FactoredUse = { ...none, kind: 'linear', rows: time, left: logits, right: hidden };

  const product = new Float64Array(inputs * outputs);
  const tied = new Float64Array(vocabulary * inputs);
  for (let t = 0; t < time; t++) {
    for (let i = 0; i < inputs; i++) {
      for (let o = 0; o < outputs; o++) {
        product[i * outputs + o]! += linear.left[t * inputs + i]! * linear.right[t * outputs + o]!;
      }
      tied[ids[t]! * inputs + i]! += embedded[t * inputs + i]!;
      for (let v = 0; v < vocabulary; v++) {
        tied[v * inputs + i]! += logits[t * vocabulary + v]! * hidden[t * inputs + i]!;
      }
    }
  }
  return {
    gradient: {
      example: number,
      subset: '',
      variable: 0,
      role: '',
      uses: new Map<string, FactoredUse[]>([
        ['linear', [{ ...none, kind: 'linear', rows: time, ...linear }]],
        ['vector', [{ ...none, kind: 'vector', rows: 1, right: vector }]],
        ['tied', [embedding, unembedding]],
      ]),
    },
    dense: new Map([
      ['linear', product],
      ['vector', Float64Array.from(vector)],
      ['tied', tied],
    ]),
  };
}

/** V12: inner products of gradients from the factors that runs store, tied weights included, against dense gradients. */
export function ghostProductCheck(): VerificationResult {
  const stream = createStream(12, 'verify ghost');
  const [a, b] = [example(0, 7, stream), example(1, 9, stream)];
  const dense = (name: string): number => dot(a.dense.get(name)!, b.dense.get(name)!);
  const names = ['linear', 'vector', 'tied'];
  const whole = names.reduce((sum, name) => sum + dense(name), 0);
  // The embedding of one with the embedding of the other, and the same of the unembedding, without what lies between.
  const withoutCross = [0, 1].reduce((sum, use) => {
    const only = ({ gradient }: Example): FactoredGradient => ({
      ...gradient,
      uses: new Map([['tied', [gradient.uses.get('tied')![use]!]]]),
    });
    return sum + factoredProduct(only(a), only(b), 'tied');
  }, 0);
  return resultOf([
    ...names.map((name) =>
      near(
        `ghost / dense, ${name === 'tied' ? 'tied embedding' : name}`,
        factoredProduct(a.gradient, b.gradient, name) / dense(name),
        1,
        1e-10,
      ),
    ),
    near('all of them', factoredProduct(a.gradient, b.gradient, null) / whole, 1, 1e-10),
    above('error without the cross terms', Math.abs(withoutCross / dense('tied') - 1), 0.01),
  ]);
}
