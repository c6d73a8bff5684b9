/** Overwrites an array with N(0, 1) numbers that belong to an update, whenever they are drawn. */
export type Draw = (stageStep: number, target: Float32Array) => void;

/**
 * Numbers that sum to zero over every `cycle` successive updates, each N(0, 1) by itself: `sqrt(m/(m-1)) (x_k - mean_k x_k)` of
 * independent x_1 .. x_m, whose correlation is -1/(m-1), as that of the noise of the m disjoint minibatches of an epoch.
 *
 * They follow from the update alone: the mean of a cycle is drawn again by whoever begins within it, and only kept so as not
 * to be drawn at each of its updates. A last cycle that a stage cuts off does not sum to zero.
 *
 * @param cycle m, at least 2
 */
export function noiseCycle(draw: Draw, cycle: number): Draw {
  let kept = -1;
  let mean = new Float64Array(0);
  const scale = Math.sqrt(cycle / (cycle - 1));
  return (stageStep, target) => {
    const own = Math.floor((stageStep - 1) / cycle);
    if (own !== kept || mean.length !== target.length) {
      mean = new Float64Array(target.length);
      for (let k = 1; k <= cycle; k++) {
        draw(own * cycle + k, target);
        for (let i = 0; i < target.length; i++) mean[i]! += target[i]! / cycle;
      }
      kept = own;
    }
    draw(stageStep, target);
    for (let i = 0; i < target.length; i++) target[i] = scale * (target[i]! - mean[i]!);
  };
}
