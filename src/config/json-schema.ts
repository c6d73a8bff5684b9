import { z } from 'zod';

const made = new WeakMap<z.ZodType, unknown>();

/** The JSON schema of what a schema takes, made once. */
export function jsonSchemaOf(schema: z.ZodType): unknown {
  let known = made.get(schema);
  if (known === undefined) {
    known = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' });
    made.set(schema, known);
  }
  return known;
}
