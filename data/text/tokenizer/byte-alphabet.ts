/** The byte that each character of a byte-level vocabulary stands for (GPT-2): printable ones for themselves. */
export const byteAlphabet: ReadonlyMap<string, number> = makeAlphabet();

function makeAlphabet(): Map<string, number> {
  const printsItself = (byte: number): boolean =>
    (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xac) || byte >= 0xae;
  const bytes = Array.from({ length: 256 }, (_, byte) => byte);
  return new Map([
    ...bytes.filter(printsItself).map((byte): [string, number] => [String.fromCharCode(byte), byte]),
    // The others take the characters from U+0100 on, in their order.
    ...bytes
      .filter((byte) => !printsItself(byte))
      .map((byte, i): [string, number] => [String.fromCharCode(0x100 + i), byte]),
  ]);
}
