/**
 * The bin of a year, as an answer: its century up to 1900 (`13 century`, `4 century BC`; year 0 is in the 0 century), its
 * decade up to 1999 (`1920s`), and then the year itself (`2020`).
 *
 * @param year negative before Christ
 * @example convertYear(-384) // '4 century BC'
 */
export function convertYear(year: number): string {
  if (year >= 2000) return String(year);
  if (year > 1900) return `${Math.floor(year / 10)}0s`;
  const century = Math.floor((Math.abs(year) + 99) / 100);
  return `${century} century${year < 0 ? ' BC' : ''}`;
}
