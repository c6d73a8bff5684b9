import type { RunInfo } from '../store/run-info.js';
import type { Engine } from '../train/engine/load.js';

/** An engine as `run.json` names it: `native (TensorFlow 2.21.0, cpu)`. */
export function describeEngine({
  name,
  version,
  device,
}: Pick<Engine, 'name' | 'version' | 'device'>): string {
  return `${name} (${version}, ${device})`;
}

/**
 * Why a run does not go on with an engine, or null: the sums of two engines differ in their last digits, so that its weights
 * would be those of neither. Other versions of the same engine are taken, and noted in the table `events`.
 */
export function whyOtherEngine({ engine }: Pick<RunInfo, 'engine'>, now: Engine): string | null {
  const [, name, device] = /^(\w+) \((?:.*, )?(cpu|gpu)\)$/.exec(engine) ?? [];
  if (name === undefined || (name === now.name && device === now.device)) return null;
  const advice = name === now.name ? `on a ${device}` : `with --engine ${name}`;
  return `it was trained with ${engine}, and here is ${describeEngine(now)}, whose numbers would mix with them; go on ${advice}`;
}
