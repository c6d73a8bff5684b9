import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { UserError } from '../../../data/errors.js';
import { writeAtomically } from '../../store/atomic-file.js';
import { systemMessage } from '../../store/file-system.js';
import { decodeSafetensors, encodeSafetensors } from '../../store/safetensors.js';
import { removeRemains } from '../../store/temporary.js';
import type { Environment } from '../../store/environment.js';
import { outcomeFields, type QuestionOutcome } from './questions.js';

/** Ending of the files of a part. */
const ending = '.safetensors';

/**
 * Outcomes of the retrainings that are done, in a folder of the run, a file for each computation: what an interrupted or
 * killed command goes on from. The folder goes when the tables are written.
 */
export class RetrainParts {
  private readonly folder: string;
  private readonly key: string;
  private next = 0;

  /**
   * @param run folder of the run
   * @param facts everything that outcomes follow from; parts of other facts are removed
   */
  constructor(
    run: string,
    facts: unknown,
    private readonly environment: Environment,
  ) {
    this.folder = path.join(run, 'retrain-parts');
    this.key = createHash('sha256').update(JSON.stringify(facts)).digest('hex');
  }

  /**
   * Reads what is there: outcomes by the id of the retraining.
   *
   * @param size questions of an outcome
   * @returns also how many files of other facts, or damaged ones, were removed
   */
  read(size: number): { readonly outcomes: Map<string, QuestionOutcome>; readonly removed: number } {
    const outcomes = new Map<string, QuestionOutcome>();
    let removed = 0;
    if (!fs.existsSync(this.folder)) return { outcomes, removed };
    removeRemains(this.environment.fs, this.folder, this.environment);
    for (const name of fs.readdirSync(this.folder).filter((own) => own.endsWith(ending))) {
      const file = path.join(this.folder, name);
      const own = this.outcomesIn(file, size);
      if (own === null) {
        fs.rmSync(file, { force: true });
        removed++;
        continue;
      }
      for (const [id, outcome] of own) outcomes.set(id, outcome);
      this.next = Math.max(this.next, Number(name.slice(0, -ending.length)) + 1 || 0);
    }
    return { outcomes, removed };
  }

  /** Keeps the outcomes of one computation. Throws a UserError when they cannot be written. */
  write(ids: readonly string[], outcomes: readonly QuestionOutcome[]): void {
    const { fs: fileSystem } = this.environment;
    fileSystem.makeFolder(this.folder);
    const tensors = ids.flatMap((id, i) =>
      outcomeFields.map((field) => {
        const values = outcomes[i]![field];
        return { name: `${id}/${field}`, shape: [values.length], values };
      }),
    );
    const name = `${String(this.next++).padStart(5, '0')}${ending}`;
    writeAtomically(
      fileSystem,
      path.join(this.folder, name),
      encodeSafetensors({ tensors, metadata: { key: this.key } }),
    );
  }

  /** Removes the folder with all parts. Throws a UserError when it cannot be removed. */
  remove(): void {
    try {
      fs.rmSync(this.folder, { recursive: true, force: true });
    } catch (error) {
      throw new UserError(`${this.folder}: cannot be removed (${systemMessage(error)})`, { cause: error });
    }
  }

  private outcomesIn(file: string, size: number): Map<string, QuestionOutcome> | null {
    try {
      const { tensors, metadata } = decodeSafetensors(file, fs.readFileSync(file));
      if (metadata['key'] !== this.key) return null;
      const byId = new Map<string, Map<string, Float32Array>>();
      for (const { name, values } of tensors) {
        const slash = name.lastIndexOf('/');
        const id = name.slice(0, slash);
        const own = byId.get(id) ?? new Map<string, Float32Array>();
        own.set(name.slice(slash + 1), values);
        byId.set(id, own);
      }
      return new Map(
        Array.from(byId, ([id, fields]) => {
          const of = (field: string): Float32Array => {
            const values = fields.get(field);
            if (values?.length !== size) throw new UserError(`${file}: ${id} has no ${field} of ${size}`);
            return values;
          };
          return [id, { loss: of('loss'), margin: of('margin'), correct: of('correct') }];
        }),
      );
    } catch (error) {
      if (error instanceof UserError) return null;
      throw error;
    }
  }
}
