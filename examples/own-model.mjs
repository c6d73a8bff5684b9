// A model and a training loop of one's own on the factor tape: a small network learns two tasks at once, and the gradients
// of the two groups of examples are printed as it does. `node examples/own-model.mjs`
import { createStream } from 'gradscope';
import {
  assembleGradients,
  cosine,
  disposeUses,
  gradientsOfGroups,
  gramOf,
  loadEngine,
  queryLoss,
  recordBackward,
  tf,
} from 'gradscope/gradients';

const engine = await loadEngine({ engine: process.env.GRADSCOPE_ENGINE ?? 'auto' });
console.log(`engine: ${engine.version}`);

const [inputs, hidden, answers, examples] = [6, 16, 2, 64];
const random = createStream(0, 'own-model');
const draw = (shape, deviation) => {
  const values = new Float32Array(shape.reduce((product, size) => product * size, 1));
  random.fillNormal(values, deviation);
  return tf.tensor(values, shape);
};

// Every tensor begins with the replica axis; one replica here.
const parameters = new Map([
  ['in.weight', draw([1, inputs, hidden], 1 / Math.sqrt(inputs))],
  ['in.bias', tf.zeros([1, hidden])],
  ['out.weight', draw([1, hidden, answers], 1 / Math.sqrt(hidden))],
  ['out.bias', tf.zeros([1, answers])],
]);

/** Logits `[replica, example, answer]` of rows `[replica, example, input]`; parameters are used through the tape alone. */
const network = (tape, x) =>
  tape.linear(tf.tanh(tape.linear(tape.input(x), 'in.weight', 'in.bias')), 'out.weight', 'out.bias');

/** Two groups of examples: is the first input positive, is the second one? The last input says which is asked. */
function minibatch() {
  const group = Int32Array.from({ length: examples }, () => random.integer(2));
  const x = Float32Array.from({ length: examples * inputs }, () => random.normal());
  const labels = new Int32Array(examples);
  group.forEach((own, example) => {
    x[example * inputs + inputs - 1] = own === 0 ? 1 : -1;
    labels[example] = x[example * inputs + own] > 0 ? 1 : 0;
  });
  return {
    group,
    x: tf.tensor3d(x, [1, examples, inputs]),
    labels: tf.tensor3d(labels, [1, examples, 1], 'int32'),
  };
}

/** All parameters' gradients as one vector, in the order of their names. */
const vectorOf = (gradients) =>
  Float32Array.from([...parameters.keys()].flatMap((name) => Array.from(gradients.get(name).dataSync())));

const learningRate = 0.5;
const one = tf.ones([1, examples, 1]);
const weights = tf.fill([1, examples], 1 / examples);
for (let step = 0; step <= 200; step++) {
  const { group, x, labels } = minibatch();
  const { losses, uses } = recordBackward(
    parameters,
    (tape) => queryLoss(network(tape, x), labels, one),
    weights,
  );
  if (step % 50 === 0) {
    const byGroup = gradientsOfGroups(uses, group, 2);
    const gram = gramOf(byGroup.map(vectorOf));
    const norms = [0, 1].map((own) => Math.sqrt(gram.at(own, own)).toFixed(4));
    const loss = tf.tidy(() => tf.mean(losses).dataSync()[0]);
    console.log(
      `step ${String(step).padStart(3)}  loss ${loss.toFixed(3)}  norms ${norms.join(' ')}  cosine ${Number(cosine(gram, 0, 1)).toFixed(3)}`,
    );
    for (const gradients of byGroup) tf.dispose([...gradients.values()]);
  }
  const updated = tf.tidy(() => {
    const { total } = assembleGradients(uses, 1);
    return Array.from(parameters, ([name, value]) => {
      const gradient = tf.reshape(total.get(name), value.shape);
      return [name, tf.keep(tf.sub(value, tf.mul(gradient, learningRate)))];
    });
  });
  for (const [name, value] of updated) {
    parameters.get(name).dispose();
    parameters.set(name, value);
  }
  disposeUses(uses);
  tf.dispose([losses, x, labels]);
}
console.log(`tensors left: ${tf.memory().numTensors}, as many as there are parameters and constants`);
