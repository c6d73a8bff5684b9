/**
 * Version of the tables' layout. A reader refuses a newer one. Raise it when the meaning of a column changes or a
 * column goes; a new table or a new column needs no new version.
 */
export const formatVersion = 1;

/** Keys of the Arrow schema metadata that the store itself writes; callers' keys must not start with `gradscope.`. */
export const metadataKeys = {
  version: 'gradscope.format_version',
  table: 'gradscope.table',
  units: 'gradscope.units',
} as const;
