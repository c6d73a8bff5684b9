/** Sound Arrow that another program wrote in a way that is not read; the message says in which, and what to do. */
export class ForeignFormatError extends Error {
  override readonly name = 'ForeignFormatError';
}
