import type { DataShape } from '../../../data/experiment.js';
import { tokenGroups, type TokenGroup } from '../../store/tables/alignment.js';
import type { tables } from '../../store/tables/registry.js';
import type { TableWriter } from '../../store/table-writer.js';
import type { Model } from '../../train/models/model.js';
import type { AlignmentReader } from '../panel/alignment.js';
import type { ExampleFactors } from '../panel/factors.js';
import { definitionProducts, type PanelProducts } from '../panel/panel-gram.js';
import type { Panel } from '../panel/panel.js';
import type { Moment } from '../probe.js';

/** What stands where in the definitions of a panel. */
export interface TokenPlaces {
  /** Places of a text: the tokens that the model reads, those of an encoder first. */
  readonly places: number;
  /** Groups that any of the definitions has. */
  readonly groups: readonly TokenGroup[];
  /** `[place]` 1 where a definition has a token of the group, else 0. */
  weights(group: TokenGroup, definition: number): Float32Array;
}

/** The token groups of a panel's definitions; null for images, and where the experiment does not tell what its examples say. */
export function tokenPlaces(panel: Panel, shape: DataShape): TokenPlaces | null {
  if (shape.modality !== 'text') return null;
  const places = shape.blockSize + (shape.inputLength ?? 0);
  const groupsOf: TokenGroup[][] = [];
  for (let definition = 0; definition < panel.definitions; definition++) {
    const pieces = panel.pieces(definition);
    if (pieces === null) return null;
    const own = Array.from({ length: places }, (): TokenGroup => 'padding');
    for (const { position, kind } of pieces) if (position !== null) own[position] = kind;
    groupsOf.push(own);
  }
  const present = new Set(groupsOf.flat());
  return {
    places,
    groups: tokenGroups.filter((group) => present.has(group)),
    weights: (group, definition) => Float32Array.from(groupsOf[definition]!, (own) => Number(own === group)),
  };
}

/**
 * Splits the gradients of a panel's definitions by token group and writes how each part stands to the questions.
 *
 * @param read factors of the definitions with these weights of places
 */
export function writeTokenGroups(
  writer: TableWriter<typeof tables.token_alignment>,
  { stage, step }: Moment,
  {
    panel,
    model,
    factors,
    products,
    alignmentOf,
    tokens,
  }: Readonly<{
    panel: Panel;
    model: Model;
    factors: ExampleFactors;
    products: PanelProducts;
    alignmentOf: AlignmentReader;
    tokens: TokenPlaces;
  }>,
  read: (weights: (definition: number) => Float32Array) => ExampleFactors,
): void {
  for (const group of tokens.groups) {
    const part = read((definition) => tokens.weights(group, definition));
    for (const [tensor, own] of definitionProducts(panel, part, factors, model)) {
      const whole = products.tensors.get(tensor);
      if (whole === undefined) continue;
      const ofWhole = alignmentOf({ ...whole, inner: own.inner });
      const ofPart = alignmentOf({ ...whole, ...own });
      ofWhole.forEach(({ set, pairing, inner, cosine }, i) => {
        const entity = panel.entities[set.entity]!;
        writer.append({
          stage,
          step,
          subset: entity.subset,
          variable: entity.variable,
          questions: set.kind,
          pairing,
          token_group: group,
          tensor,
          inner,
          norm_part: ofPart[i]!.normDefinition,
          cosine_part: cosine,
          cosine: ofPart[i]!.cosine,
        });
      });
    }
    part.dispose();
  }
  writer.flush();
}
