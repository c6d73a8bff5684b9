import { wholeSite, type Site } from '../../sites/site.js';
import { projectionWidths, type CausalArchitecture } from './architecture.js';

export const siteNames = { embedding: 'embedding' } as const;

/** Names of the activations of block `i`. */
export function blockSites(i: number) {
  const block = `layers.${i}`;
  return {
    /** What the heads give, side by side, before their common output map. */
    heads: `${block}.attention.heads`,
    attentionOutput: `${block}.attention.output`,
    mlpHidden: `${block}.mlp.hidden`,
    mlpOutput: `${block}.mlp.output`,
    /** The stream behind the block. */
    residual: `${block}.residual`,
  } as const;
}

/** Every activation of a causal transformer that has a name, in the order of the forward pass, each head behind all of them. */
export function causalSites(architecture: CausalArchitecture): Site[] {
  const { layers, width, heads, headSize, feedForward } = architecture;
  const { query } = projectionWidths(architecture);
  const sites = [wholeSite(siteNames.embedding, width)];
  for (let i = 0; i < layers; i++) {
    const names = blockSites(i);
    sites.push(
      wholeSite(names.heads, query),
      ...Array.from({ length: heads }, (_, head): Site => ({
        name: `${names.heads}.${head}`,
        activation: names.heads,
        first: head * headSize,
        width: headSize,
        of: query,
      })),
      wholeSite(names.attentionOutput, width),
      wholeSite(names.mlpHidden, feedForward),
      wholeSite(names.mlpOutput, width),
      wholeSite(names.residual, width),
    );
  }
  return sites;
}
