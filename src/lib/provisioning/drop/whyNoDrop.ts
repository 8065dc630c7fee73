import { CONFIGURATIONS_FILE } from '../../configurationsFile/checkConfigurationsFile.ts';
import { parseDropPath } from './dropPath.ts';

/** What belongs to a drop without being one. */
const BESIDE: readonly string[] = ['options.json', CONFIGURATIONS_FILE];

/**
 * Why a file in the drop box makes no run and is not read for one either, by its name, with what to do; undefined when
 * it makes one, or goes with another file that does.
 */
export function whyNoDrop(blobName: string): string | undefined {
  const file = blobName.slice(blobName.lastIndexOf('/') + 1);
  if (isKnown(file)) return undefined;
  const lower = file.toLowerCase();
  if (isKnown(lower)) return `Names are in lower case: upload it as ${lower}.`;
  if (/\.(?:xls[xmb]?|ods|numbers)$/.test(lower)) {
    return 'It is a workbook of a spreadsheet: save it as CSV, and upload that as devices.csv.';
  }
  if (/\.(?:zip|7z|rar|tar|tgz|bz2|zst)$/.test(lower)) {
    return 'It is an archive: upload the devices file itself, as devices.txt or devices.csv; it may be packed with gzip (.gz).';
  }
  const packed = lower.endsWith('.gz') ? '.gz' : '';
  if (lower.endsWith(`.csv${packed}`))
    return `Only one name makes a run of a CSV file: upload it as devices.csv${packed}.`;
  if (/\.(?:txt|json|jsonl|ndjson)(?:\.gz)?$/.test(lower)) {
    return `Only one name makes a run of a file of lines: upload it as devices.txt${packed}.`;
  }
  return 'Only devices.txt and devices.csv, either with .gz, make a run: upload it under one of these names.';
}

function isKnown(file: string): boolean {
  return BESIDE.includes(file) || parseDropPath(file, []) !== undefined;
}
