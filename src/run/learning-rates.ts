import type { StageConfig } from './config.js';

/** Full learning rate of each parameter: the first parameter group whose pattern matches, else the stage's. */
export function learningRates(config: StageConfig): (parameter: string) => number {
  const groups = config.parameterGroups.map(({ parameters, learningRate }) => ({
    pattern: new RegExp(`^${parameters.split('*').map(escapePattern).join('.*')}$`),
    learningRate,
  }));
  return (name) =>
    groups.find(({ pattern }) => pattern.test(name))?.learningRate ?? config.optimizer.learningRate;
}

function escapePattern(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`);
}
