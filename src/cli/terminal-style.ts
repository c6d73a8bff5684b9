/** What standard output takes: colours in a terminal without NO_COLOR, ASCII where nothing else can be shown. */
export function terminalStyle(ascii: boolean) {
  const { NO_COLOR, TERM, INK_SCREEN_READER } = process.env;
  return {
    // Node leaves isTTY undefined where there is no terminal, whatever its type says.
    colour: (process.stdout.isTTY ?? false) && (NO_COLOR ?? '') === '' && TERM !== 'dumb',
    ascii: ascii || TERM === 'dumb' || TERM === 'linux',
    screenReader: INK_SCREEN_READER === 'true',
  };
}
