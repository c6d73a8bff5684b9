/**
 * sha256 of the wheels this version of the program is tested with, by file name. A wheel listed here must have this
 * hash whatever the index says; for others the index is asked.
 */
export const PINNED_WHEELS: ReadonlyMap<string, string> = new Map([
  [
    'tensorflow_cpu-2.21.0-cp311-cp311-manylinux_2_27_x86_64.whl',
    '2b847d217b02ee7731ed91431daf3250daa0196c3c94614d23be27232e6e5b6c',
  ],
]);
