/** The configurations of a backup: read, and compared with those of a hub. */

import { checkConfigurationsFile } from '../configurationsFile/checkConfigurationsFile.ts';
import { type ConfigurationField, configurationDifferences } from '../configurationsFile/configurationDifferences.ts';
import type { Configuration, ConfigurationInput } from '../registry/index.ts';
import { extrasText } from './extrasTexts.ts';
import { failed, type ItemOutcome } from './hubWork.ts';

/**
 * What has to be done about one configuration. `replace`: its content differs, which a hub never changes in place, so it
 * has to be deleted and created again; until then its devices are those of the configuration with the next priority.
 */
export type ConfigurationChange =
  | { readonly change: 'create'; readonly id: string; readonly wanted: ConfigurationInput }
  | {
      readonly change: 'replace' | 'update' | 'unchanged';
      readonly id: string;
      readonly wanted: ConfigurationInput;
      readonly live: Configuration;
      /** In what they differ. */
      readonly fields: readonly ConfigurationField[];
    }
  | { readonly change: 'delete'; readonly id: string; readonly live: Configuration };

/**
 * Compares what can be set of configurations: not ETags, times and results of metrics. Deletions come first, as a hub has
 * room for few.
 */
export function compareConfigurations(
  backup: readonly ConfigurationInput[],
  live: readonly Configuration[],
): readonly ConfigurationChange[] {
  const held = new Map(live.map((configuration) => [configuration.id, configuration]));
  const wantedIds = new Set(backup.map(({ id }) => id));
  const gone = live.filter(({ id }) => !wantedIds.has(id));
  return [
    ...gone.map((configuration) => ({ change: 'delete', id: configuration.id, live: configuration }) as const),
    ...backup.map((wanted) => changeOf(wanted, held.get(wanted.id))),
  ];
}

function changeOf(line: ConfigurationInput, live: Configuration | undefined): ConfigurationChange {
  // The ETag of a backup is of another time.
  const { etag: _etag, ...wanted } = line;
  const { id } = wanted;
  if (live === undefined) return { change: 'create', id, wanted };
  const fields = configurationDifferences(wanted, live);
  const change = fields.length === 0 ? 'unchanged' : fields.includes('content') ? 'replace' : 'update';
  return { change, id, wanted, live, fields };
}

export interface BackedUpConfigurations {
  readonly configurations: readonly ConfigurationInput[];
  /** Lines that no hub would take back. */
  readonly refused: readonly ItemOutcome[];
}

/**
 * Reads `configurations.txt` as the export of a hub writes it: names in Pascal case, what the hub has counted among them.
 *
 * @param file how it is to be named in errors
 * @throws ConfigurationsRefused when it cannot be read as lines at all
 */
export async function readConfigurations(
  source: AsyncIterable<Uint8Array>,
  file: string,
): Promise<BackedUpConfigurations> {
  const { lines } = await checkConfigurationsFile(source, file);
  return {
    configurations: lines.flatMap((line) => (line.kind === 'accepted' ? [line.configuration] : [])),
    refused: lines.flatMap((line) => {
      if (line.kind !== 'rejected') return [];
      const item = { what: 'configuration', id: line.id ?? `line ${line.line}` } as const;
      return [failed(item, extrasText('configurationUnusable', { file, line: line.line, reason: line.reason }))];
    }),
  };
}
