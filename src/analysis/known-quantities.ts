import type { Design } from '../../data/design.js';
import type { SectionSpec } from './section.js';
import { sections } from './studies/registry.js';

/** Ids of a section's quantities, without the section's; `*` stands for a part that depends on the run. */
function idsOf({ quantities, ids }: SectionSpec, design: Design): readonly string[] {
  if (ids !== undefined) return ids(design);
  if (typeof quantities === 'function') return ['*'];
  return ('ofDesign' in quantities ? quantities.ofDesign(design) : quantities).map(({ id }) => id);
}

/** The section that a quantity belongs to; undefined where there is none. */
export function sectionOfQuantity(quantity: string): SectionSpec | undefined {
  return sections.find(({ id }) => quantity.startsWith(`${id}.`));
}

/** Why no run of a design can have a quantity of this id, with those that there are; null where one can. */
export function unknownQuantity(quantity: string, design: Design): string | null {
  const section = sectionOfQuantity(quantity);
  if (section === undefined) {
    return `there is no quantity ${quantity}: ids begin with ${sections.map(({ id }) => id).join(', ')}, and docs/method.md lists them`;
  }
  const own = quantity.slice(section.id.length + 1);
  const ids = idsOf(section, design);
  const fits = ids.some((id) => (id.endsWith('*') ? own.startsWith(id.slice(0, -1)) : own === id));
  return fits ? null : `there is no quantity ${quantity}; ${section.id} has ${ids.join(', ')}`;
}
