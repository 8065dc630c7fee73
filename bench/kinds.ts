/**
 * Devices files as others write them, for the benchmark: none has the form of `hubkeeper generate`. Orders of keys, blanks,
 * widths of values and numbers of properties differ from line to line, and all of them with the seed.
 */

import { createWriteStream } from 'node:fs';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

export const LINE_KINDS = ['plain', 'export', 'mixed'] as const;
export const KINDS = [...LINE_KINDS, 'csv'] as const;
export type Kind = (typeof KINDS)[number];

/** What a row of the result says of the kind. */
export const KIND_TEXTS: Readonly<Record<Kind, string>> = {
  plain: 'plain lines',
  export: "a hub's export",
  mixed: 'modules, escapes, non-ASCII',
  csv: 'CSV',
};

interface Random {
  /** 0 to `below` - 1. */
  upTo(below: number): number;
  one<T>(of: readonly T[]): T;
  /** So many characters of `alphabet`. */
  text(length: number, alphabet: string): string;
}

const HEX = '0123456789ABCDEF';
const BASE64 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
/** Kinds of devices in a fleet: devices of one kind have the same properties. */
const MODELS = 12;
const LETTERS = 'abcdefghijklmnopqrstuvwxyz';

export async function writeKind(kind: Kind, file: string, lines: number, seed: number): Promise<void> {
  const random = createRandom(seed);
  const next = WRITERS[kind](random);
  function* blocks(): Generator<string> {
    let block = kind === 'csv' ? CSV_HEADER : '';
    for (let line = 0; line < lines; line += 1) {
      block += `${next(line)}\n`;
      if (block.length > 256 * 1024) {
        yield block;
        block = '';
      }
    }
    yield block;
  }
  await pipeline(Readable.from(blocks()), createWriteStream(file));
}

const WRITERS: Readonly<Record<Kind, (random: Random) => (line: number) => string>> = {
  plain: plainLines,
  export: exportLines,
  mixed: mixedLines,
  csv: csvRows,
};

/** What a script writes: identities and some tags, in an order of its own, some with blanks as Python has them. */
function plainLines(random: Random): (line: number) => string {
  const orders = someOrders(random, 4);
  const spaced = random.upTo(2) === 0;
  const tags = someSections(random, MODELS, 7, 1);
  const desired = someSections(random, MODELS, 5, 1);
  return (line) => {
    const members: Record<string, unknown> = {
      importMode: random.one(['create', 'createOrUpdate']),
      status: random.one(['enabled', 'enabled', 'disabled']),
      statusReason: random.one(['', 'waits for its site', 'ordered by the operator']),
      id: `${random.one(['pump', 'meter', 'gw'])}-${random.text(random.upTo(12), HEX)}-${line}`,
      capabilities: { iotEdge: random.upTo(40) === 0 },
      authentication: random.upTo(6) === 0 ? thumbprints(random) : { type: 'sas', symmetricKey: keyPair(random) },
      tags: filled(random, random.one(tags)),
      properties: { desired: filled(random, random.one(desired)) },
    };
    return textOf(inOrder(members, random.one(orders)), spaced);
  };
}

/** What an export job writes, in the order of the format. */
function exportLines(random: Random): (line: number) => string {
  const tags = someSections(random, MODELS, 6, 1);
  const desired = someSections(random, MODELS, 6, 2);
  const reported = someSections(random, MODELS, 16, 2);
  return (line) => {
    const id = `device-${random.text(4 + random.upTo(16), HEX)}-${line}`;
    const scope = `ms-azure-iot-edge://gateway-${random.upTo(500)}-63${random.text(16, '0123456789')}`;
    const underEdge = random.upTo(10) === 0;
    return JSON.stringify({
      id,
      eTag: random.text(12, BASE64),
      status: random.one(['enabled', 'enabled', 'disabled']),
      statusReason: random.one([null, '', 'maintenance until the end of the month']),
      authentication: {
        symmetricKey: keyPair(random),
        x509Thumbprint: { primaryThumbprint: null, secondaryThumbprint: null },
        type: 'sas',
      },
      twinETag: `${random.text(11, BASE64)}=`,
      tags: filled(random, random.one(tags)),
      properties: {
        desired: filled(random, random.one(desired)),
        reported: filled(random, random.one(reported)),
      },
      capabilities: { iotEdge: false },
      ...(underEdge ? { deviceScope: scope, parentScopes: [scope] } : {}),
    });
  };
}

/** Devices with their modules; escapes, characters beyond ASCII and thumbprints among them. */
function mixedLines(random: Random): (line: number) => string {
  const orders = someOrders(random, 6);
  const tags = someSections(random, MODELS, 5, 1);
  const desired = someSections(random, MODELS, 7, 2);
  let device = '';
  return (line) => {
    const forModule = line % 3 !== 0;
    if (!forModule) device = `site.${random.text(3 + random.upTo(9), LETTERS)}:${line}`;
    const members: Record<string, unknown> = {
      id: device,
      ...(forModule ? { moduleId: `module-${random.one(['filter', 'opc', 'store'])}-${line}` } : {}),
      eTag: random.text(8, BASE64),
      status: 'enabled',
      ...(forModule ? {} : { statusReason: random.one(['', 'wartet auf Übergabe', '点検中', 'said "later"']) }),
      authentication:
        random.upTo(3) === 0
          ? thumbprints(random)
          : { symmetricKey: keyPair(random), x509Thumbprint: null, type: 'sas' },
      tags: { ...filled(random, random.one(tags)), place: random.one(PLACES), path: random.one(PATHS) },
      properties: { desired: { ...filled(random, random.one(desired)), note: random.one(NOTES) } },
      capabilities: { iotEdge: false },
    };
    const text = textOf(inOrder(members, random.one(orders)), false);
    // Writers that keep to ASCII escape the rest, others escape slashes.
    return random.upTo(3) === 0 ? text.replace(/[^ -~]/g, escaped) : text.replaceAll('/', random.one(['/', '\\/']));
  };
}

const PLACES = ['Köln', 'Malmö', 'São Paulo', '東京', 'Łódź', 'Bergen', 'Aix-en-Provence, côté sud'];
const PATHS = ['C:\\plant\\line 1', 'a/b/c', 'one\ttwo', 'room "7"', '\u20ac 12', '😀'];
const NOTES = ['erste Zeile\nzweite Zeile', 'ok', '…', 'Grüße aus der Werkhalle', 'see \\\\server\\share'];

const CSV_HEADER = 'id,importMode,status,tags.site,tags.rack,tags.note,desired.interval,desired.level\n';

function csvRows(random: Random): (line: number) => string {
  return (line) =>
    [
      `sensor-${random.text(random.upTo(10), HEX)}-${line}`,
      random.one(['create', 'createOrUpdate']),
      random.one(['enabled', 'disabled', '']),
      random.one(PLACES.slice(0, 6)),
      random.upTo(200),
      random.one(['', '"one, and another"', 'plain', '"said ""later"""']),
      random.upTo(3600),
      `${random.upTo(90)}.5`,
    ].join(',');
}

/** What a device of one model has in a section of its twin: names that it shares with its like, values of its own. */
type Section = readonly (readonly [name: string, value: 'word' | 'count' | 'measure' | 'flag' | Section])[];

function someSections(random: Random, models: number, most: number, depth: number): readonly Section[] {
  return Array.from({ length: models }, () => sectionOf(random, random.upTo(most + 1), depth));
}

function sectionOf(random: Random, count: number, depth: number): Section {
  const names = new Set(Array.from({ length: count }, () => random.one(NAMES) + random.one(['', '', 'Last', '_2'])));
  return [...names].map((name) => {
    const nested = depth > 0 && random.upTo(5) === 0;
    return [
      name,
      nested
        ? sectionOf(random, 1 + random.upTo(4), depth - 1)
        : random.one(['word', 'word', 'count', 'measure', 'flag'] as const),
    ];
  });
}

function filled(random: Random, section: Section): Record<string, unknown> {
  return Object.fromEntries(section.map(([name, value]) => [name, oneValue(random, value)]));
}

function oneValue(random: Random, value: Section[number][1]): unknown {
  switch (value) {
    case 'word':
      return random.text(2 + random.upTo(24), LETTERS);
    case 'count':
      return random.upTo(100_000);
    case 'measure':
      return random.upTo(100_000) / 64;
    case 'flag':
      return random.upTo(2) === 0;
    default:
      return filled(random, value);
  }
}

const NAMES = [
  ...['site', 'floor', 'rack', 'owner', 'firmware', 'interval', 'threshold', 'mode', 'lastBoot', 'battery', 'signal'],
  ...['network', 'address', 'calibration', 'serial', 'model', 'customer', 'zone', 'alarms', 'temperature', 'uptime'],
];

function keyPair(random: Random): object {
  return { primaryKey: `${random.text(43, BASE64)}=`, secondaryKey: `${random.text(43, BASE64)}=` };
}

function thumbprints(random: Random): object {
  const length = random.one([40, 64]);
  return {
    x509Thumbprint: { primaryThumbprint: random.text(length, HEX), secondaryThumbprint: random.text(length, HEX) },
    type: 'selfSigned',
  };
}

/** Orders of keys, as numbers to sort by. */
function someOrders(random: Random, count: number): readonly (readonly number[])[] {
  return Array.from({ length: count }, () => Array.from({ length: 16 }, () => random.upTo(1000)));
}

function inOrder(members: Record<string, unknown>, order: readonly number[]): Record<string, unknown> {
  const ranked = Object.entries(members).map((entry, index) => ({ entry, rank: order[index] ?? 0 }));
  return Object.fromEntries(ranked.sort((a, b) => a.rank - b.rank).map(({ entry }) => entry));
}

function textOf(members: object, spaced: boolean): string {
  const text = JSON.stringify(members, undefined, spaced ? 1 : undefined);
  return spaced
    ? text
        .replace(/([{[])\n */g, '$1')
        .replace(/\n *([}\]])/g, '$1')
        .replace(/\n */g, ' ')
    : text;
}

function escaped(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

/** Numbers that come again with the seed (mulberry32). */
function createRandom(seed: number): Random {
  let state = seed >>> 0;
  const upTo = (below: number): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 0x1_0000_0000) * below);
  };
  return {
    upTo,
    one<T>(of: readonly T[]): T {
      const chosen = of[upTo(of.length)];
      if (chosen === undefined) throw new RangeError('There is nothing to choose from.');
      return chosen;
    },
    text(length, alphabet) {
      let text = '';
      for (let index = 0; index < length; index += 1) text += alphabet[upTo(alphabet.length)];
      return text;
    },
  };
}
