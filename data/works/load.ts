import path from 'node:path';
import { UserError } from '../errors.js';
import { compareCodePoints } from '../facts/code-points.js';
import type { DataSource, FactSet } from '../facts/fact-set.js';
import { once } from '../files/once.js';
import { locateSource, reading, type SourceFiles } from '../files/source-files.js';
import { utf8Text } from '../files/utf8.js';
import { PythonRandom } from '../random/python-random.js';
import type { WorksConfig } from './config.js';
import { moviesFile, readMovies } from './movies.js';
import { firstWorks, shuffledWorks } from './selection.js';
import { worksOf } from './trex.js';
import { cleanTriples, readTriples, type Triple } from './triples.js';

const moviesSource: DataSource = {
  name: 'movies.json of vega-datasets',
  licence: 'none named for this file (package: BSD-3-Clause)',
  citation: 'vega-datasets 3.2.1',
};

const trexSource: DataSource = {
  name: 'T-REx',
  licence: 'CC BY-SA',
  citation:
    'Elsahar et al. 2018, T-REx: a large scale alignment of natural language with knowledge base triples',
};

/**
 * The works of an experiment, read from their files once a process. Throws a UserError for files that are missing or cannot be read, and
 * for fewer works than the config asks for.
 */
export const loadWorks = once(
  ({ entities, works, entitySeed, faithful, movies, trex }: WorksConfig) => [
    entities,
    works,
    entitySeed,
    faithful,
    movies,
    trex,
  ],
  (config, files): FactSet => {
    const { entities, works, entitySeed, faithful } = config;
    const random = new PythonRandom(entitySeed);
    const source = works === 'movies' ? moviesSource : trexSource;
    const all =
      works === 'movies'
        ? shuffledWorks(moviesOf(config, files), random)
        : worksOf(cleanTriples(triplesOf(config, files)), random, faithful);
    const chosen = firstWorks(all, entities, works === 'movies' ? 'movies' : config.trex!);
    return { sources: [source], entities: chosen.toSorted((a, b) => compareCodePoints(a.name, b.name)) };
  },
);

function moviesOf({ movies }: WorksConfig, files: SourceFiles) {
  const file = locateSource(files, moviesFile, movies);
  return readMovies(file, jsonOf(file, files)).entities;
}

function* triplesOf({ trex }: WorksConfig, files: SourceFiles): Generator<Triple, void> {
  if (trex === undefined) throw new UserError('data.trex: give a JSON file of T-REx, or a folder of them');
  const folder = reading(trex, () => files.list(trex));
  const names =
    folder === null
      ? [trex]
      : folder.filter((name) => name.endsWith('.json')).map((name) => path.join(trex, name));
  if (names.length === 0) throw new UserError(`${trex}: holds no .json files; give the folder of T-REx`);
  for (const file of names) yield* readTriples(file, jsonOf(file, files));
}

function jsonOf(file: string, files: SourceFiles): unknown {
  const text = utf8Text(
    file,
    reading(file, () => files.bytes(file)),
  );
  try {
    return JSON.parse(text);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new UserError(`${file}: is no JSON (${reason}); get the file once more`, { cause });
  }
}
