/**
 * What is said of calls to a hub that it gave no answer of its own to, or that were never sent. The hub's own errors
 * stand in `errorCodes.ts`.
 */

import { type CodeText, speakerOf } from '../codeText.ts';

// biome-ignore format: a row a line, so that a search for a code shows all that is said of it.
export const CALL_TEXTS = {
  CredentialFailed: { says: 'No Microsoft Entra token for the hub {host}: {error}', action: 'Check the identity of the app and its role on the hub (IoT Hub Data Contributor).', retried: true },
  InvalidReply: { says: 'Cannot {operation}: the reply of {host} is not a valid IoT Hub response, it {problem}.', action: 'Check that the host name belongs to an IoT hub and that no proxy answers in its place.' },
  HubKeeperFault: { says: 'Cannot {operation}: HubKeeper itself failed, not the hub or the network ({error}).', action: 'Correct the line if something is unusual about it, and report it to the maintainers of HubKeeper.' },
  'HubKeeperFault:line': { says: 'HubKeeper itself failed on this line; the hub and the network have no part in it.', action: 'Correct the line if something is unusual about it, and report it to the maintainers of HubKeeper.' },
  NetworkError: { says: 'Cannot {operation}: cannot reach hub {host}: {cause}', action: 'Check the host name in the connection string and the network.', retried: true },
  'NetworkError:certificate': { says: 'Cannot {operation}: cannot reach hub {host}: {cause}', action: 'Check the host name, and whether a proxy or a local hub needs its certificate authority to be trusted.', doc: { says: 'The hub could not be reached, because its certificate is not trusted.' } },
  Timeout: { says: 'Cannot {operation}: hub {host} gave no answer within {seconds} s.', retried: true, doc: { action: 'Nothing, unless it lasts.' } },
  Unknown: { says: 'The hub gave an error without a name that HubKeeper could read.', action: 'Look up the line in the hub, and drop it again.' },
  bulkTooLarge: { says: 'A bulk request holds {items} items; a hub takes at most {most}.', doc: { action: 'Nothing: please report it.' } },
  connectionStringInvalid: { says: "The hub's connection string {problem}.", action: "Copy it from the hub's shared access policies ({form}), or give the host name alone to use an identity.", doc: { says: "The hub's connection string cannot be read." } },
  etagMissing: { says: '{identity} carries no ETag to compare with.', action: 'Read it first and pass on what was read, or leave `onlyIfUnchanged` out.' },
  hubCredentialMissing: { says: 'There is neither a key nor an identity to reach the hub {host} with.', action: 'Use a connection string with SharedAccessKeyName and SharedAccessKey, or give the app an identity.' },
  'idNotAddressable:empty': { says: 'An id is empty.', doc: { action: 'Give the id.' } },
  'idNotAddressable:dots': { says: 'The id "{id}" cannot be part of a URL.', doc: { action: 'Use an import job for it, or rename the device.' } },
  queryTooLong: { says: 'The query has {length} characters; a hub takes at most {most}.', action: 'Ask in several queries.' },
} as const satisfies Record<string, CodeText>;

export const callText = speakerOf(CALL_TEXTS);
