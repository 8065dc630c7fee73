import { importModeOf } from '../devicesFile/importMode.ts';
import { MODE_RULES } from '../devicesFile/modeRules.ts';
import { primaryKeyOf } from './primaryKey.ts';
import type { RegistryLine } from './registryLine.ts';
import type { RoundLine } from './rounds.ts';

/**
 * How far the registry is as a line asks for: in all; in its identity, with nothing at all in its twin; or not.
 *
 * An identity with an empty twin may be one that the line made, of which the hub has said nothing more.
 */
export type Agreement = 'all' | 'identity' | 'none';

/**
 * Whether the registry is as a line of a devices file asks for: what the line says is there (or, for a delete, the
 * identity is not). What the line leaves out does not matter, nor do the scopes, which a hub makes itself.
 *
 * @param line with `keyBefore`: new keys were asked for, and this was the key before; with `statusKept`: the device was to
 *   keep its status
 * @param found the identity as an export writes it; undefined when it does not exist
 */
export function agreement(line: RoundLine, found: RegistryLine | undefined): Agreement {
  const mode = importModeOf(line);
  if (mode === 'delete' || mode === 'deleteIfMatchETag') return found === undefined ? 'all' : 'none';
  if (found === undefined) return 'none';
  const { writesIdentity } = MODE_RULES[mode];
  if (writesIdentity && !identityAgrees(line, found)) return 'none';
  if (twinAgrees(line, found)) return 'all';
  return hasEmptyTwin(found) ? 'identity' : 'none';
}

function identityAgrees(line: RoundLine, found: RegistryLine): boolean {
  const isDevice = line.moduleId === undefined;
  return (
    (line['keyBefore'] === undefined || hasNewKey(line['keyBefore'], found)) &&
    // Modules have no status of their own, whatever an export says.
    (!isDevice || line['statusKept'] === true || sameWord(line['status'] ?? 'enabled', found['status'])) &&
    (!isDevice || !given(line['statusReason']) || line['statusReason'] === (found['statusReason'] ?? '')) &&
    (!isDevice || !given(line['capabilities']) || isEdge(line) === isEdge(found)) &&
    authenticationAgrees(objectAt(line, 'authentication'), objectAt(found, 'authentication'))
  );
}

function hasNewKey(keyBefore: unknown, found: RegistryLine): boolean {
  const key = primaryKeyOf(found);
  return key !== undefined && key !== keyBefore;
}

function authenticationAgrees(wanted: Fields | undefined, found: Fields | undefined): boolean {
  if (wanted === undefined) return true;
  if (given(wanted['type']) && !sameWord(wanted['type'], found?.['type'])) return false;
  const pairs = [
    ['symmetricKey', ['primaryKey', 'secondaryKey']],
    ['x509Thumbprint', ['primaryThumbprint', 'secondaryThumbprint']],
  ] as const;
  return pairs.every(([group, names]) => {
    const asked = objectAt(wanted, group);
    const there = objectAt(found ?? {}, group);
    // Keys are told apart by case; the hexadecimal digits of thumbprints are not.
    const same = group === 'symmetricKey' ? Object.is : sameWord;
    return names.every((name) => !given(asked?.[name]) || same(asked?.[name], there?.[name]));
  });
}

function twinAgrees(line: RoundLine, found: RegistryLine): boolean {
  return (
    contains(found['tags'], line['tags']) &&
    contains(objectAt(found, 'properties')?.['desired'], objectAt(line, 'properties')?.['desired'])
  );
}

function hasEmptyTwin(found: RegistryLine): boolean {
  const isEmpty = (section: unknown) => Object.keys(section ?? {}).length === 0;
  return isEmpty(found['tags']) && isEmpty(objectAt(found, 'properties')?.['desired']);
}

type Fields = Readonly<Record<string, unknown>>;

/** Whether `wanted` is in `there`: every value of it; null means that there is none. */
function contains(there: unknown, wanted: unknown): boolean {
  if (wanted === null || wanted === undefined) return true;
  if (Array.isArray(wanted)) {
    return (
      Array.isArray(there) &&
      there.length === wanted.length &&
      wanted.every((value, index) => contains(there[index], value))
    );
  }
  if (typeof wanted !== 'object') return there === wanted;
  if (typeof there !== 'object' || there === null) {
    // Nothing is there: fine as long as nothing is wanted but that.
    return Object.values(wanted).every((value) => contains(undefined, value));
  }
  return Object.entries(wanted).every(([key, value]) => {
    if (key === '$metadata' || key === '$version') return true;
    const found = (there as Fields)[key];
    return value === null ? found === undefined || found === null : contains(found, value);
  });
}

function isEdge(line: Fields): boolean {
  return objectAt(line, 'capabilities')?.['iotEdge'] === true;
}

function objectAt(value: Fields, key: string): Fields | undefined {
  const inner = value[key];
  return typeof inner === 'object' && inner !== null ? (inner as Fields) : undefined;
}

function given(value: unknown): boolean {
  return value !== undefined && value !== null;
}

function sameWord(a: unknown, b: unknown): boolean {
  return String(a).toLowerCase() === String(b).toLowerCase();
}
