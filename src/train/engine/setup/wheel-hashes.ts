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

/**
 * sha256 of the libraries inside those wheels, by file name of the wheel: what a cached library must have whatever the
 * manifest beside it says.
 */
export const PINNED_LIBRARIES: ReadonlyMap<string, Readonly<Record<string, string>>> = new Map([
  [
    'tensorflow_cpu-2.21.0-cp311-cp311-manylinux_2_27_x86_64.whl',
    {
      'lib/libtensorflow_cc.so.2': '6505a4b9657e62100c6bdacb683957a395cb047725042945aaa50e40a71e429e',
      'lib/libtensorflow_framework.so.2': 'f060b323b26ef80add21b9df9428de3aeaf2843d772c5bb098745f7abff3709b',
    },
  ],
]);
