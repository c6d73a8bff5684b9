import { useSyncExternalStore, type ReactNode } from 'react';
import { Box, Text, useInput } from 'ink';
import { keyNames } from '../keys/tokens.js';
import type { BrowserSession } from '../session/session.js';

/** The browser: frames of a session, and keys to it. */
export function App({ session }: { readonly session: BrowserSession }): ReactNode {
  useSyncExternalStore(session.subscribe, session.version);
  useInput((input, key) => session.press(keyNames(input, key)));
  // Rows are places on the screen and have no other identity. An empty text would take no row.
  const rows = session.frame().lines.map((line, row) => ({ row, line: line === '' ? ' ' : line }));
  return (
    <Box flexDirection="column">
      {rows.map(({ row, line }) => (
        <Text key={row} wrap="truncate">
          {line}
        </Text>
      ))}
    </Box>
  );
}
