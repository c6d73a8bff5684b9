import { Command } from 'commander';
import { UserError } from '../../data/errors.js';
import type { ConfigKey } from '../config/reference.js';
import type { RunConfig } from '../run/config.js';
import { print } from './output.js';
import { presetFile } from './preset.js';

interface Flags {
  readonly set: string[];
  /** True without a key. */
  readonly explain?: string | true;
}

export function configCommand(): Command {
  return new Command('config')
    .description('print the whole config that an experiment file stands for, or say what keys take and mean')
    .argument('[config]', 'experiment file, such as configs/set-inclusion.yaml')
    .option(
      '--explain [key]',
      'what a key takes, its default and its meaning, with the keys below it; without a key: of all keys',
    )
    .option(
      '--set <key=value>',
      'override a config value; can be repeated',
      (value: string, before: string[]) => [...before, value],
      [],
    )
    .addHelpText(
      'after',
      `
Examples:
  gradscope config set-inclusion                                  every value, inherited and default ones too
  gradscope config set-inclusion --set stages.0.batchSize=full
  gradscope config --explain stages.0.sampler
  gradscope config set-inclusion --explain stages.0.optimizer     with the values of the file

docs/config.md has all keys on one page.`,
    )
    .action(async (given: string | undefined, flags: Flags) => {
      await show(given === undefined ? null : presetFile(given), flags);
    });
}

async function show(file: string | null, { set, explain }: Flags): Promise<void> {
  if (file === null && set.length > 0)
    throw new UserError('--set is about the values of a file; name one: gradscope config <file> --set ...');
  const { configKeysOf, loadRunConfig } = await import('../run/experiment-module.js');
  const loaded = file === null ? null : await loadRunConfig(file, set);
  if (loaded !== null && explain === undefined) {
    print(loaded.resolved.trimEnd());
    return;
  }
  const config = loaded?.config ?? null;
  const keys = configKeysOf(config?.experiment ?? null);
  if (explain === undefined || explain === true) {
    print(await listOf(keys));
    return;
  }
  print(await explained(explain, keys, config));
}

/** Keys with what they take and what stands for them where they are left out. */
async function listOf(keys: readonly ConfigKey[]): Promise<string> {
  const { boxOf } = await import('../report/terminal.js');
  const { wrap } = await import('../report/text/table.js');
  const { width } = boxOf(process.stdout);
  return keys
    .flatMap((key) => [
      key.path + (key.of.length === 0 ? '' : `   (${key.of.join(', ')})`),
      ...[takesOf(key), key.description]
        .filter((text) => text !== '')
        .flatMap((text) => wrap(text, width - 4).map(indented)),
    ])
    .join('\n');
}

const takesOf = (key: ConfigKey): string =>
  `${key.takes}; ${key.default === null ? 'must be given' : `by default ${key.default}`}`;

async function explained(
  typed: string,
  keys: readonly ConfigKey[],
  config: RunConfig | null,
): Promise<string> {
  const { keyPath } = await import('../config/reference.js');
  const { stringifyYaml } = await import('../../data/yaml.js');
  const path = keyPath(typed);
  const own = keys.filter((key) => key.path === path);
  if (own.length === 0) throw await unknownKey(typed, path, keys);
  const below = keys.filter((key) => key.path.startsWith(`${path}.`) || key.path.startsWith(`${path}[]`));
  const value = config === null ? undefined : valueAt(config, typed.split('.'));
  return [
    await listOf(own),
    ...(value === undefined ? [] : ['', `${typed} in this file:`, indented(stringifyYaml(value).trimEnd())]),
    ...(below.length === 0 ? [] : ['', 'Keys below it:', '', await listOf(below)]),
  ].join('\n');
}

const indented = (text: string): string => text.replaceAll(/^/gm, '    ');

/** The value at a path; undefined where the file has none, or the path names no entry of a list. */
function valueAt(value: unknown, [key, ...rest]: readonly string[]): unknown {
  if (key === undefined) return value;
  const inner: unknown = typeof value === 'object' && value !== null ? Reflect.get(value, key) : undefined;
  return inner === undefined ? undefined : valueAt(inner, rest);
}

async function unknownKey(typed: string, path: string, keys: readonly ConfigKey[]): Promise<UserError> {
  const { nearest } = await import('../config/suggest.js');
  const paths = [...new Set(keys.map((key) => key.path))];
  const near = nearest(path, paths) ?? paths.find((own) => own.endsWith(`.${path}`)) ?? null;
  const advice =
    near === null
      ? 'gradscope config --explain lists all keys'
      : `did you mean ${near.replaceAll('[]', '.0')}?`;
  return new UserError(`there is no config key ${typed}; ${advice}`);
}
