/** Orders of tag (t), variable (v) and entity (e) in a definition; the last one is its answer. */
export const definitionOrders = ['tve', 'vte', 'evt', 'etv', 'tev', 'vet'] as const;

export type DefinitionOrder = (typeof definitionOrders)[number];

export type DefinitionElement = 't' | 'v' | 'e';

/** The three elements of an order, one by one. */
export const definitionElements = {
  tve: ['t', 'v', 'e'],
  vte: ['v', 't', 'e'],
  evt: ['e', 'v', 't'],
  etv: ['e', 't', 'v'],
  tev: ['t', 'e', 'v'],
  vet: ['v', 'e', 't'],
} as const satisfies Record<DefinitionOrder, readonly DefinitionElement[]>;
