import type { ReasonText } from './reasonText.ts';

/** Trouble of the file as a whole: nothing of it is imported. */
// biome-ignore format: a row a line, so that a search for a code shows all that is said of it.
export const FILE_REASONS = {
  empty: { says: 'The file is empty.', action: 'Drop a file with one JSON object per line, one line per device.' },
  noDevices: { says: 'The file has one line of plain text and no devices.', action: 'Drop a file with one JSON object per line, one line per device.' },
  utf16: { says: 'The file is UTF-16 or UTF-32, not UTF-8.', action: 'Save it as UTF-8 (Excel: "CSV UTF-8"; PowerShell: Set-Content -Encoding utf8).' },
  binary: { says: 'The file is not text.', action: 'Drop a text file with one JSON object per line, plain or compressed with gzip.' },
  otherCompression: { says: 'The file is compressed with {format}.', action: 'Unpack it, or compress it with gzip.' },
  workbook: { says: 'The file is a workbook (Excel, LibreOffice), not text.', action: 'Open it, save the sheet as CSV ("CSV UTF-8" in Excel), and drop that.' },
  macLineEnds: { says: 'The lines of the file end in CR alone, as on old Macs, so all of it is one line.', action: "Save it with LF or CRLF, or convert it: tr '\\r' '\\n' < FILE > NEW" },
  gzipTwice: { says: 'The file is compressed with gzip twice.', action: 'Unpack it once.' },
  gzipTruncated: { says: 'The gzip data ends too early: the file is cut off.', action: 'Upload it again, whole.' },
  gzipCorrupt: { says: 'The gzip data is damaged, or something else follows it.', action: 'Make the file anew, test it with "gzip -t", and upload it again.' },
  jsonArray: { says: 'The file is a JSON array; a devices file has one JSON object per line, without brackets and commas.', action: "Convert it: jq -c '.[]' FILE > devices.txt" },
  prettyPrinted: { says: 'The file is JSON spread over several lines; a devices file has one whole JSON object per line.', action: "Convert it: jq -c '.' FILE > devices.txt" },
  csv: { says: 'The file looks like CSV, which is not read under this name.', action: 'Name it devices.csv, or drop a file with one JSON object per line.' },
  csvIsJson: { says: 'The file has JSON in it, not CSV.', action: 'Name it devices.txt, with one JSON object per line.' },
  csvNoHeader: { says: 'The first row has no name of a column that is known.', action: 'Write a header: "id", and further columns such as "importMode", "status", "tags.site".' },
  csvNoId: { says: 'The header has no column "id".', action: 'Rename {ids} to "id".' },
  csvHeaderUtf8: { says: 'The header is not UTF-8.', action: 'Save the file as UTF-8 (Excel: "CSV UTF-8").' },
  csvColumnName: { says: 'Column {column} has an empty part in its name.', action: 'Name it, such as "tags.site" or "properties.desired.interval".' },
  csvColumnKey: { says: 'Column {column} has a character in its name that a hub does not take in keys ({character}).', action: 'Rename it{hint}.' },
  csvKeyColumn: { says: '{keys} under a name that is not known: the devices would get others.', action: 'Name {them} {field}, or remove {them}.' },
  csvByteOrderMark: { says: 'The row that starts on this line has a byte order mark (U+FEFF) before its first quote, as files that were put together have where the next begins.', action: 'Remove it, and the second header that follows it.' },
  csvColumnTwice: { says: 'Columns {first} and {second} are both "{name}".', action: 'Keep one of them.' },
  csvColumnConflict: { says: 'Column {outer} holds what column {inner} is a part of.', action: 'Keep either the whole in one column, or its parts.' },
  csvQuotes: { says: 'The row that starts on this line has a quote in the wrong place, or one that is not closed.', action: 'Put cells with quotes in them into quotes, and write each quote inside twice.' },
  csvRowTooLong: { says: 'The row that starts on this line has more than {limit} bytes.', action: 'Look for a quote in it that is not closed.' },
  csvNoRows: { says: 'The file has a header and no rows.', action: 'Add one row per device.' },
} as const satisfies Record<string, ReasonText>;

export type FileRefusedCode = keyof typeof FILE_REASONS;
