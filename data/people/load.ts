import { UserError } from '../errors.js';
import { compareCodePoints } from '../facts/code-points.js';
import type { DataSource, FactSet } from '../facts/fact-set.js';
import { once } from '../files/once.js';
import { locateSource, reading, type SourceFiles } from '../files/source-files.js';
import { utf8Text } from '../files/utf8.js';
import { selectionOf, type PeopleConfig } from './config.js';
import { readCvdb } from './cvdb.js';
import { knownPeople } from './p10k.js';
import { deadPeople, joinDeaths } from './p1238.js';
import { pantheonFile, readPantheon } from './pantheon.js';
import type { Person } from './person.js';
import { selectPeople } from './selection.js';
import { readWordNet, wordNetFile } from './wordnet.js';

const pantheonSource: DataSource = {
  name: 'Pantheon 1.0',
  licence: 'CC0',
  citation: 'Yu et al. 2016, Scientific Data 3:150075, doi:10.7910/DVN/28201',
};

const wordNetSource: DataSource = {
  name: 'WordNet 3.1',
  licence: 'WordNet licence',
  citation: 'Princeton University, WordNet 3.1',
};

const cvdbSource: DataSource = {
  name: 'A cross-verified database of notable people',
  licence: 'CC BY-SA',
  citation: 'Laouenan et al. 2022, Scientific Data 9, doi:10.21410/7E4/RDAG3O',
};

/**
 * The people of an experiment, read from their files once a process. Throws a UserError for files that are missing or cannot be read, and
 * for fewer people than the config asks for.
 */
export const loadPeople = once(
  (config: PeopleConfig) => [
    config.people,
    config.entities,
    config.fame,
    selectionOf(config),
    config.pantheon,
    config.wordnet,
    config.cvdb,
  ],
  (config, files): FactSet => {
    const { sources, people } = selected(config, files);
    return { sources, entities: people.toSorted((a, b) => compareCodePoints(a.name, b.name)) };
  },
);

function selected(
  config: PeopleConfig,
  files: SourceFiles,
): { readonly sources: readonly DataSource[]; readonly people: readonly Person[] } {
  const { fame, entities } = config;
  const selection = selectionOf(config);
  switch (config.people) {
    case 'cvdb': {
      const file = config.cvdb;
      if (file === undefined) throw new UserError('data.cvdb: give the file of the cross-verified database');
      const { people } = reading(file, () => readCvdb(file, files.pieces(file), entities, selection));
      return { sources: [cvdbSource], people };
    }
    case 'p10k': {
      const people = knownPeople(pantheonOf(config, files), fame);
      return { sources: [pantheonSource], people: selectPeople(people, entities, selection, 'p10k') };
    }
    case 'p1238': {
      const file = locateSource(files, wordNetFile, config.wordnet);
      const { dated } = readWordNet(
        utf8Text(
          file,
          reading(file, () => files.bytes(file)),
        ),
      );
      const people = deadPeople(joinDeaths(pantheonOf(config, files), dated), fame);
      return {
        sources: [pantheonSource, wordNetSource],
        people: selectPeople(people, entities, selection, 'p1238'),
      };
    }
  }
}

function pantheonOf({ pantheon }: PeopleConfig, files: SourceFiles) {
  const file = locateSource(files, pantheonFile, pantheon);
  return readPantheon(
    file,
    reading(file, () => files.bytes(file)),
  );
}
