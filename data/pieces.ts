/** What a piece of an example is. */
export const partKinds = ['tag', 'variable', 'entity', 'answer', 'other'] as const;

export type PartKind = (typeof partKinds)[number];

/** A piece of an example as an experiment describes it: a token of a text, or one of the things that an image shows or asks. */
export interface ExamplePiece {
  readonly kind: PartKind;
  readonly text: string;
  /** Id of the token; null for what is no token. */
  readonly token: number | null;
  /**
   * Place among the tokens that the model reads, those of an encoder's text first; null for what it only answers, and for what
   * is no token. Places without a piece are padding.
   */
  readonly position: number | null;
  /** Whether it is a target of the loss. */
  readonly isAsked: boolean;
}
