import { partKinds, type ExamplePiece } from '../../data/pieces.js';
import { definitionKinds } from '../../src/store/tables/common.js';
import type { tables } from '../../src/store/tables/registry.js';
import type { TypedTable } from '../../src/store/typed-table.js';

/** Columns of the table `panel_tokens` that screens take. */
export const tokenColumns = [
  'example',
  'subset',
  'variable',
  'role',
  'kind',
  'text',
  'token',
  'position',
  'asked',
] as const;

type TokenTable = TypedTable<typeof tables.panel_tokens, (typeof tokenColumns)[number]>;

/** A definition or a question of the panel, piece by piece. */
export interface TokenExample {
  /** `definition`, `tag_swap`, `heldout`. */
  readonly role: string;
  readonly pieces: readonly ExamplePiece[];
}

/** The definitions of an entity as trained on and changed, then its questions; `<subset>/17/heldout` names both. */
export type TokensOfEntity = (entity: string) => readonly TokenExample[];

/** What the examples of a panel say, entity by entity. */
export function panelTokens({ rows, columns }: TokenTable): TokensOfEntity {
  const { example, subset, variable, role, kind, text, token, position, asked } = columns;
  const byEntity = new Map<string, number[]>();
  for (let row = 0; row < rows; row++) {
    const entity = `${subset.text(row)}/${variable[row]}`;
    const own = byEntity.get(entity);
    if (own === undefined) byEntity.set(entity, [row]);
    else own.push(row);
  }
  const isDefinition = new Set<string>(definitionKinds);
  return (id) => {
    const end = id.lastIndexOf('/');
    const questions = id.slice(end + 1);
    const examples = new Map<number, { readonly role: string; readonly pieces: ExamplePiece[] }>();
    for (const row of byEntity.get(id.slice(0, end)) ?? []) {
      const ofRole = role.text(row);
      if (!isDefinition.has(ofRole) && ofRole !== questions) continue;
      const own = examples.get(example[row]!) ?? { role: ofRole, pieces: [] };
      examples.set(example[row]!, own);
      own.pieces.push({
        kind: partKinds.find((known) => known === kind.text(row)) ?? 'other',
        text: text[row]!,
        token: token.isNull(row) ? null : token.values[row]!,
        position: position.isNull(row) ? null : position.values[row]!,
        isAsked: asked[row] === 1,
      });
    }
    return [...examples.values()];
  };
}
