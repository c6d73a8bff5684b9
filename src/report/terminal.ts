/** What the environment says about a stream; any of it may be missing, or nonsense. */
export interface TerminalStream {
  readonly isTTY?: boolean | undefined;
  readonly columns?: number | undefined;
  readonly rows?: number | undefined;
}

/** Lines are this long where nothing else is known. */
const defaultColumns = 100;

const defaultRows = 24;

/** No screen is larger: what is drawn for a larger one takes memory for nothing. */
const most = { columns: 2000, rows: 1000 } as const;

/**
 * Columns of a stream. Terminals that do not know their size say 0 (a serial line, some containers), pipes and files
 * nothing.
 */
export const columnsOf = ({ columns }: TerminalStream, otherwise = defaultColumns): number =>
  sizeOr(columns, otherwise, most.columns);

/** Columns and rows of a terminal. */
export const boxOf = (stream: TerminalStream): { readonly width: number; readonly height: number } => ({
  width: columnsOf(stream, 80),
  height: sizeOr(stream.rows, defaultRows, most.rows),
});

function sizeOr(size: number | undefined, otherwise: number, largest: number): number {
  if (size === undefined || !Number.isFinite(size) || size < 1) return otherwise;
  return Math.min(largest, Math.floor(size));
}

/** Whether a stream is a terminal. Node leaves `isTTY` undefined where it is none, whatever its type says. */
export const isTerminal = ({ isTTY }: TerminalStream): boolean => isTTY ?? false;

/** What standard output takes: colours in a terminal without NO_COLOR, ASCII where nothing else can be shown. */
export function terminalStyle(
  ascii = false,
  environment: Readonly<Record<string, string | undefined>> = process.env,
  stream: TerminalStream = process.stdout,
) {
  const { NO_COLOR, TERM, INK_SCREEN_READER } = environment;
  return {
    colour: isTerminal(stream) && (NO_COLOR ?? '') === '' && TERM !== 'dumb',
    ascii: ascii || TERM === 'dumb' || TERM === 'linux',
    screenReader: INK_SCREEN_READER === 'true',
  };
}
