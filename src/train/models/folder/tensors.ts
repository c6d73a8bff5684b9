import { UserError } from '../../../../data/errors.js';
import { printable } from '../../../../data/printable.js';
import { readStoredTensor, type StoredTensor } from '../../../store/stored-tensors.js';
import type { FamilyModel } from './family.js';
import type { ModelFolder } from './model-folder.js';

/** Reads the values of a parameter from a folder, row-major in this program's layout. */
export type ParameterReader = (parameter: string) => Float32Array;

/** Names of one kind that a message lists. */
const mostNames = 12;

/**
 * Matches the tensors of a folder with the parameters of a model. Throws a UserError, one line, that lists by name all
 * tensors that are missing, unknown, or of another shape.
 *
 * @param modelType names the family in the message
 */
export function parameterReader(folder: ModelFolder, modelType: string, model: FamilyModel): ParameterReader {
  const { mappings, aliases } = model;
  const stored = namedAsExpected(folder.tensors(), model);
  const copiesOf = (name: string): StoredTensor[] =>
    [name, ...aliases.filter(({ of }) => of === name).map((alias) => alias.name)].flatMap(
      (own) => stored.get(own) ?? [],
    );
  const expected = mappings.flatMap(({ tensors }) => tensors);
  const known = new Set([...expected, ...aliases].map(({ name }) => name));
  const missing = expected.filter(({ name }) => copiesOf(name).length === 0);
  const unknown = [...stored.keys()].filter((name) => !known.has(name) && !model.isIgnored(name));
  const misshapen = expected.flatMap(({ name, shape }) =>
    copiesOf(name)
      .filter((own) => own.shape.join() !== shape.join())
      .map((own) => `${own.name} [${own.shape.join()}] instead of [${shape.join()}]`),
  );
  const problems = [
    ['missing', missing.map(({ name }) => name)],
    ['not known', unknown],
    ['of another shape', misshapen],
  ] as const;
  const lists = problems.flatMap(([what, names]) =>
    names.length === 0 ? [] : [`${what}: ${listed(names)}`],
  );
  if (lists.length > 0) {
    throw new UserError(
      `${folder.path}: its tensors are not those of the ${modelType} in its config.json; ${lists.join('; ')}`,
    );
  }
  const byParameter = new Map(mappings.map((mapping) => [mapping.parameter, mapping]));
  return (parameter) => {
    const mapping = byParameter.get(parameter)!;
    return mapping.fromTensors(mapping.tensors.map(({ name }) => readCopies(copiesOf(name))));
  };
}

function listed(names: readonly string[]): string {
  const shown = names.slice(0, mostNames).map(printable).join(', ');
  return names.length > mostNames ? `${shown} and ${names.length - mostNames} more` : shown;
}

/** Tensors by the names that the family has for them: those of a trunk that was saved alone get its prefix. */
function namedAsExpected(
  tensors: ReadonlyMap<string, StoredTensor>,
  { mappings, aliases, prefix, isIgnored }: FamilyModel,
): ReadonlyMap<string, StoredTensor> {
  const known = new Set([...mappings.flatMap((own) => own.tensors), ...aliases].map(({ name }) => name));
  return new Map(
    Array.from(tensors, ([name, tensor]) => {
      const whole = `${prefix}${name}`;
      const isTrunk = !known.has(name) && !isIgnored(name) && (known.has(whole) || isIgnored(whole));
      return [isTrunk ? whole : name, tensor];
    }),
  );
}

/** Values of a tensor that is stored once or several times. Throws a UserError when its copies differ. */
function readCopies([first, ...others]: readonly StoredTensor[]): Float32Array {
  const values = readStoredTensor(first!);
  for (const other of others) {
    const copy = readStoredTensor(other);
    if (values.every((value, i) => Object.is(value, copy[i]))) continue;
    throw new UserError(
      `${other.file}: ${other.name} and ${first!.name} have different values, and config.json says that they are one; ` +
        'set tie_word_embeddings to what the model has',
    );
  }
  return values;
}
