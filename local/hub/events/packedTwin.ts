import type { IdentityRow } from '../registry/identityRow.ts';
import type { TwinColumns } from '../twin/twinColumns.ts';

/** A twin as it was at an event. */
export type PackedTwin = Readonly<TwinColumns>;

/**
 * Packs a twin for the log: the body of its event is several times as long, most of it metadata, and is made when somebody
 * reads it. A long import writes a million of them. JSON text has no line breaks.
 */
export function packTwin(row: IdentityRow): string {
  return `${row.twinEtag}\n${row.twinVersion}\n${row.tags}\n${row.desired}\n${row.desiredVersion}\n${row.desiredUpdated}\n${row.desiredMetadata ?? ''}\n${row.reported}\n${row.reportedVersion}\n${row.reportedUpdated}`;
}

export function unpackTwin(text: string): PackedTwin {
  const [etag, version, tags, desired, desiredVersion, desiredUpdated, desiredMetadata, reported, ...more] = text.split(
    '\n',
  ) as Fields;
  const [reportedVersion, reportedUpdated] = more;
  return {
    twinEtag: Number(etag),
    twinVersion: Number(version),
    tags,
    desired,
    desiredVersion: Number(desiredVersion),
    desiredUpdated,
    desiredMetadata: desiredMetadata === '' ? null : desiredMetadata,
    reported,
    reportedVersion: Number(reportedVersion),
    reportedUpdated,
  };
}

type Fields = [string, string, string, string, string, string, string, string, string, string];
