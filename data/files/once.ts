import type { SourceFiles } from './source-files.js';

/**
 * A loader that reads its files once a process: seeds and stages of a run ask for the same data again and again.
 *
 * @param keyOf everything of a config that what is loaded depends on
 */
export function once<Config, Loaded>(
  keyOf: (config: Config) => readonly unknown[],
  load: (config: Config, files: SourceFiles) => Loaded,
): (config: Config, files: SourceFiles) => Loaded {
  const loaded = new WeakMap<SourceFiles, Map<string, { readonly value: Loaded }>>();
  return (config, files) => {
    const own = loaded.get(files) ?? new Map<string, { readonly value: Loaded }>();
    loaded.set(files, own);
    const key = JSON.stringify(keyOf(config));
    const known = own.get(key) ?? { value: load(config, files) };
    own.set(key, known);
    return known.value;
  };
}
