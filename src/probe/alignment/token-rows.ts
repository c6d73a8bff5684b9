import type { tables } from '../../store/tables/registry.js';
import type { TableWriter } from '../../store/table-writer.js';
import { panelExamples, type Panel } from '../panel/panel.js';

/** Writes what the examples of a panel say, piece by piece; nothing where the experiment does not tell. */
export function writeTokens(writer: TableWriter<typeof tables.panel_tokens>, panel: Panel): void {
  panelExamples(panel).forEach(({ entity, role }, example) => {
    const { subset, variable } = panel.entities[entity]!;
    panel.pieces(example)?.forEach(({ kind, text, token, position, isAsked }, place) => {
      writer.append({ example, subset, variable, role, place, kind, text, token, position, asked: isAsked });
    });
  });
  writer.flush();
}
