/** Fonts for text in drawings: the first that the system has is taken, by browsers and by `toPng`. */
export const fonts = {
  sans: 'DejaVu Sans, Helvetica, Arial, sans-serif',
  mono: 'DejaVu Sans Mono, Menlo, Courier New, monospace',
} as const;
