import type { FactConfig } from '../../../data/facts/config.js';
import type { FactEntity, FactQuestion } from '../../../data/facts/fact-set.js';
import type { FactRows } from '../../../data/facts/build.js';
import type { FactRow, FactSection } from '../../../data/facts/rows.js';
import { parseTemplate } from '../../../data/facts/template.js';
import { peopleSchema } from '../../../data/people/config.js';
import type { SourceFiles } from '../../../data/files/source-files.js';

const inventedQuestions = Array.from({ length: 7 }, (_, place): FactQuestion => ({
  id: `question${place}`,
  template: parseTemplate(`What is question ${place} of [X]?`),
  statements: [
    parseTemplate(`[X] has ${place} [A]`),
    parseTemplate(`${place} of [X] is [A]`),
    parseTemplate(`${place}: [X], [A]`),
  ],
  paraphrase: parseTemplate(`What about ${place} of [X]?`),
}));

/** Entities that nobody knows. `questions`: how many of them they are asked, in turn. */
export function inventedEntities(count: number, questions: readonly number[] = [6]): FactEntity[] {
  return Array.from({ length: count }, (_, i) => {
    const name = `entity ${String(i).padStart(4, '0')}`;
    const own = inventedQuestions.slice(0, questions[i % questions.length]);
    return {
      name,
      facts: own.map((question, place) => ({ question, answers: [`answer ${place} of ${name}`] })),
    };
  });
}

/** A config of people, with changes. */
export function factConfig(changes: object = {}): FactConfig {
  return peopleSchema.parse({ entities: 4000, tokenizer: 'tokenizer.json', ...changes });
}

export function sectionOf(rows: FactRows, name: string): FactSection {
  const found = rows.sections.find((section) => section.name === name);
  if (found === undefined) throw new Error(`no section ${name}`);
  return found;
}

export function rowOf(rows: FactRows, name: string, place = 0): FactRow {
  return sectionOf(rows, name).rows[place]!;
}

export function sectionSizes(sections: readonly FactSection[]): Record<string, number> {
  return Object.fromEntries(sections.map(({ name, rows }) => [name, rows.length]));
}

/** Files in memory. */
export function filesOf(files: Readonly<Record<string, string | Uint8Array>>): SourceFiles {
  const bytes = (file: string): Uint8Array => {
    const content = files[file];
    if (content === undefined)
      throw Object.assign(new Error(`ENOENT: no such file or directory, open '${file}'`), { code: 'ENOENT' });
    return typeof content === 'string' ? Buffer.from(content) : content;
  };
  return {
    bytes,
    *pieces(file) {
      const all = bytes(file);
      for (let start = 0; start < all.length; start += 7) yield all.subarray(start, start + 7);
    },
    list: (folder) => {
      const names = Object.keys(files).flatMap((file) =>
        file.startsWith(`${folder}/`) ? [file.slice(folder.length + 1)] : [],
      );
      return names.length === 0 ? null : names.sort();
    },
    packageFolder: () => null,
  };
}
