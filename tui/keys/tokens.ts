/** Names of keys: a character, or `up`, `enter`, `shift+tab`, `ctrl+d`, ... */
export type KeyName = string;

/** The flags of Ink's `useInput` that are used. */
export interface KeyFlags {
  readonly upArrow: boolean;
  readonly downArrow: boolean;
  readonly leftArrow: boolean;
  readonly rightArrow: boolean;
  readonly pageUp: boolean;
  readonly pageDown: boolean;
  readonly home: boolean;
  readonly end: boolean;
  readonly return: boolean;
  readonly escape: boolean;
  readonly tab: boolean;
  readonly backspace: boolean;
  readonly delete: boolean;
  readonly ctrl: boolean;
  readonly shift: boolean;
  readonly meta: boolean;
}

const named = [
  ['upArrow', 'up'],
  ['downArrow', 'down'],
  ['leftArrow', 'left'],
  ['rightArrow', 'right'],
  ['pageUp', 'pageup'],
  ['pageDown', 'pagedown'],
  ['home', 'home'],
  ['end', 'end'],
  ['return', 'enter'],
  ['escape', 'escape'],
  ['backspace', 'backspace'],
  // Terminals send the same byte for both.
  ['delete', 'backspace'],
] as const;

const controls: Readonly<Record<string, KeyName>> = {
  '\t': 'tab',
  '\r': 'enter',
  '\n': 'enter',
  '\u001B': 'escape',
  '\u007F': 'backspace',
  ' ': 'space',
};

/**
 * The keys of one event of Ink. Keys that were pressed faster than they were read come as one text: each of its
 * characters is a key.
 */
export function keyNames(input: string, flags: KeyFlags): KeyName[] {
  if (flags.tab) return [flags.shift ? 'shift+tab' : 'tab'];
  const name = named.find(([flag]) => flags[flag])?.[1];
  if (name !== undefined)
    return [flags.shift && (name === 'left' || name === 'right') ? `shift+${name}` : name];
  const wheel = /^\[<(64|65);\d+;\d+[Mm]$/.exec(input);
  if (wheel !== null) return [wheel[1] === '64' ? 'up' : 'down'];
  if (flags.ctrl) return [`ctrl+${input}`];
  // Escape and a key in one read look like the key with Alt.
  if (flags.meta) return ['escape', ...characters(input)];
  return characters(input);
}

function characters(input: string): KeyName[] {
  return Array.from(input).flatMap((character) => {
    const control = controls[character];
    if (control !== undefined) return [control];
    const code = character.codePointAt(0)!;
    if (code < 32) return [`ctrl+${String.fromCodePoint(code + 96)}`];
    return [character];
  });
}
