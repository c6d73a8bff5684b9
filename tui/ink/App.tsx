import { useSyncExternalStore, type ReactNode } from 'react';
import { Box, Text, useInput } from 'ink';
import { keyNames } from '../keys/tokens.js';
import type { Session } from '../session/session.js';

/** The browser: frames of a session, and keys to it. */
export function App({ session }: { readonly session: Session }): ReactNode {
  useSyncExternalStore(session.subscribe, session.version);
  useInput((input, key) => session.press(keyNames(input, key)));
  return (
    <Box flexDirection="column">
      {session.frame().lines.map((line, row) => (
        // Rows are places on the screen: they have no other identity. An empty text would take no row.
        <Text key={`row ${row}`} wrap="truncate">
          {line === '' ? ' ' : line}
        </Text>
      ))}
    </Box>
  );
}
