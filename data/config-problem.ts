/** What is wrong with a config, where (`fractions`, `image.tagBlock`), and what to do about it. */
export interface ConfigProblem {
  readonly path: string;
  readonly message: string;
}
