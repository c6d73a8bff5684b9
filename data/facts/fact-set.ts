import type { Template } from './template.js';

/** A question that can be asked about entities of a set. */
export interface FactQuestion {
  /** For logs and tables: `born`, `P577`. */
  readonly id: string;
  /** Of the question, with the slot `[X]`: `When was [X] born?` */
  readonly template: Template;
  /**
   * The same fact in three statements, `[X] was born in the [A]`, for pretraining. Blanks stand around the slots: tokenizers
   * whose tokens are words know a name by them.
   */
  readonly statements: readonly [Template, Template, Template];
  /** The same question in other words, for pretraining. */
  readonly paraphrase: Template;
}

/** A question about an entity with its answers. */
export interface Fact {
  readonly question: FactQuestion;
  /** All that count as right, at least one; the first is trained on. */
  readonly answers: readonly string[];
}

/** A real person or work, which a variable can stand for. */
export interface FactEntity {
  readonly name: string;
  readonly facts: readonly Fact[];
}

/** Where data come from, for reports. */
export interface DataSource {
  readonly name: string;
  readonly licence: string;
  readonly citation: string;
}

/** Entities that an experiment runs on. */
export interface FactSet {
  /** With different names, in the order of their code points. */
  readonly entities: readonly FactEntity[];
  readonly sources: readonly DataSource[];
}
