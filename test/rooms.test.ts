import { existsSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';

import { describe, expect, it } from 'vitest';

import { projectRoot } from '../local/stack/projectRoot.ts';
import { circlesOf, type Import, importGraph, sourcesBelow } from './helpers/importGraph.ts';

/** What every room of provisioning may know: what is below provisioning, but for settings and logs. */
const BELOW =
  'hubJobs runs turns registryLines configurationsFile devicesFile devicesFile/checkDevicesFile.ts registry telemetry storage textFile errors.ts redact.ts countText.ts codeText.ts';

/**
 * The rooms of the code, from the top down, and which others each may know. A room is one file, or the files that stand in
 * a folder, not those of the folders in it. Imports only go down this list; a new folder needs a line. Names that start
 * with none of the folders of the project are of `src/lib`.
 */
const MAY_KNOW: Readonly<Record<string, string>> = {
  tools: 'tools/docs',
  'tools/docs':
    'mirror/reconcile src/hosting provisioning/run provisioning/texts undo restore backup work runs settings.ts registryExtras registryLines configurationsFile devicesFile registry telemetry textFile codeText.ts mirror/status mirror/query mirror/events',
  bench: 'mirror/events mirror/store runs devicesFile storage local/stack runKinds.ts',

  'cli/main.ts': 'cli/program.ts',
  'cli/program.ts': 'cli/commandLine.ts cli/app cli/render cli redact.ts',
  'cli/commandLine.ts': 'cli/commands cli/app cli/render cli mirror/query restore runs',
  'cli/commands':
    'mirror/reconcile cli/app cli/render cli mirror/query restore backup work provisioning/check provisioning/drop hubJobs runs registryLines devicesFile devicesFile/checkDevicesFile.ts textFile errors.ts local/stack runKinds.ts mirror/status',
  'cli/app':
    'cli/render cli mirror/query mirror/status restore provisioning/drop runs settings.ts configurationsFile registryLines devicesFile storage textFile redact.ts local/stack runKinds.ts provisioning/run work',
  'cli/render':
    'mirror/reconcile cli mirror/query mirror/rows provisioning/outcome provisioning/drop undo restore backup registryExtras hubJobs runs registryLines redact.ts bytesText.ts countText.ts local/stack runKinds.ts provisioning/run work mirror/status mirror/notes',
  // Errors and exit codes of all commands.
  cli: 'runKinds.ts runs storage errors.ts redact.ts local/stack',

  'src/functions':
    'redact.ts src/handlers src/appSettings.ts src/hosting src/orchestrations provisioning/steps mirror/refresh work runs turns',
  'src/handlers':
    'src/hosting src/services.ts health.ts workKinds.ts provisioning/steps provisioning/drop mirror/reconcile mirror/refresh mirror/events mirror/mirrorSettings.ts undo restore backup backup/schedule.ts work runs turns telemetry storage logger.ts redact.ts provisioning/run mirror/status mirror/query',
  'src/hosting':
    'src/orchestrations provisioning/steps provisioning/drop mirror/query mirror/store undo restore backup work hubJobs runs turns registry telemetry storage logger.ts errors.ts redact.ts codeText.ts',
  'src/services.ts':
    'src/appSettings.ts provisioning/effects provisioning/job provisioning/drop mirror/refresh mirror/events mirror/notes mirror/store backup work hubJobs runs settings.ts registry telemetry storage logger.ts runKinds.ts runMetrics.ts provisioning/run mirror/status mirror/query mirror/mirrorSettings.ts',
  'src/appSettings.ts': 'settings.ts',
  'src/orchestrations': 'provisioning/steps provisioning/preImage mirror/refresh work runs turns',
  // What is told of runs that have ended.
  'src/lib/runMetrics.ts': 'runKinds.ts runs telemetry',
  // The kinds of runs there are.
  'src/lib/runKinds.ts': 'provisioning/run work runs',
  'src/lib/workKinds.ts': 'mirror/reconcile mirror/store undo restore backup work',
  'src/lib/health.ts': 'registry storage redact.ts roles.ts',

  'src/lib/provisioning/steps': `${provisioning('recovery job parents outcome verify again preImage report configurations evidence check drop texts run')} ${BELOW}`,
  'src/lib/provisioning/recovery': `${provisioning('job again report configurations evidence check drop texts run')} ${BELOW}`,
  'src/lib/provisioning/effects': `${provisioning('outcome verify again preImage configurations evidence check drop texts run')} ${BELOW}`,
  'src/lib/provisioning/job': `${provisioning('verify again preImage report configurations evidence check drop texts run')} ${BELOW}`,
  'src/lib/provisioning/parents': `${provisioning('outcome again evidence check drop texts run')} ${BELOW}`,
  'src/lib/provisioning/outcome': `${provisioning('verify again evidence check drop texts run')} ${BELOW}`,
  'src/lib/provisioning/verify': `${provisioning('again evidence check drop texts run')} ${BELOW}`,
  'src/lib/provisioning/again': `${provisioning('preImage evidence check drop texts run')} ${BELOW}`,
  'src/lib/provisioning/preImage': `${provisioning('report check drop texts run')} ${BELOW}`,
  'src/lib/provisioning/report': `${provisioning('configurations check drop texts run')} ${BELOW}`,
  'src/lib/provisioning/configurations': `${provisioning('check drop texts run')} ${BELOW}`,
  'src/lib/provisioning/evidence': `${provisioning('texts run')} ${BELOW}`,
  'src/lib/provisioning/check': `${provisioning('drop texts run')} ${BELOW}`,
  'src/lib/provisioning/drop': `${provisioning('texts run')} ${BELOW}`,
  'src/lib/provisioning/texts': 'runs codeText.ts',
  'src/lib/provisioning/run': 'hubJobs runs registryLines devicesFile errors.ts',

  'src/lib/mirror/reconcile':
    'mirror/query mirror/notes mirror/store mirror/rows mirror/mirrorSettings.ts backup work registryExtras runs registryLines devicesFile storage codeText.ts',
  'src/lib/mirror/status':
    'mirror/query mirror/notes mirror/store mirror/mirrorSettings.ts backup/schedule.ts telemetry storage redact.ts roles.ts countText.ts codeText.ts',
  'src/lib/mirror/query': 'mirror/store mirror/rows storage errors.ts roles.ts codeText.ts',
  'src/lib/mirror/refresh':
    'mirror/notes mirror/store mirror/rows work registryExtras runs settings.ts turns devicesFile registry storage logger.ts errors.ts redact.ts',
  'src/lib/mirror/events':
    'mirror/notes mirror/store mirror/rows mirror/mirrorSettings.ts registry devicesFile telemetry storage logger.ts redact.ts countText.ts codeText.ts',
  'src/lib/mirror/notes': 'storage',
  'src/lib/mirror/store': 'mirror/rows storage roles.ts',
  'src/lib/mirror/rows': 'registryLines',
  'src/lib/undo':
    'work registryExtras runs registryLines configurationsFile devicesFile registry storage textFile countText.ts codeText.ts',
  'src/lib/restore':
    'backup work registryExtras hubJobs runs turns registryLines configurationsFile devicesFile registry storage textFile errors.ts countText.ts codeText.ts',
  'src/lib/backup':
    'backup/retentionPolicy.ts backup/schedule.ts work registryExtras hubJobs runs settings.ts turns registryLines registry devicesFile telemetry storage textFile logger.ts errors.ts redact.ts codeText.ts',
  'src/lib/work':
    'registryExtras hubJobs runs registryLines turns registry telemetry storage errors.ts redact.ts codeText.ts',
  'src/lib/hubJobs': 'turns runs registryLines registry storage errors.ts',
  'src/lib/runs': 'turns settings.ts devicesFile registry storage logger.ts errors.ts redact.ts codeText.ts',
  'src/lib/settings.ts':
    'backup/retentionPolicy.ts backup/schedule.ts mirror/mirrorSettings.ts turns registry storage errors.ts codeText.ts',
  // What settings say of backups, in words that are checked when the app is loaded.
  'src/lib/backup/retentionPolicy.ts': '',
  'src/lib/backup/schedule.ts': '',
  'src/lib/mirror/mirrorSettings.ts': '',
  'src/lib/turns': '',
  'src/lib/registryExtras':
    'configurationsFile registryLines devicesFile registry storage textFile errors.ts redact.ts codeText.ts',
  'src/lib/configurationsFile': 'devicesFile registry textFile errors.ts codeText.ts',
  'src/lib/registryLines': 'devicesFile registry storage textFile errors.ts bytesText.ts codeText.ts',
  'src/lib/devicesFile/checkDevicesFile.ts': 'devicesFile devicesFile/csv textFile',
  'src/lib/devicesFile/csv': 'devicesFile textFile',
  'src/lib/devicesFile': 'textFile codeText.ts',
  'src/lib/registry': 'textFile errors.ts redact.ts roles.ts codeText.ts',
  'src/lib/telemetry': '',
  'src/lib/storage': '',
  'src/lib/textFile': 'codeText.ts',
  'src/lib/logger.ts': 'redact.ts',
  'src/lib/errors.ts': 'redact.ts',
  'src/lib/redact.ts': 'roles.ts',
  'src/lib/roles.ts': '',
  'src/lib/bytesText.ts': '',
  'src/lib/countText.ts': '',
  'src/lib/codeText.ts': '',
  'src/lib/defined.ts': '',

  'local/host/main.ts': 'local/host/host.ts local/host',
  'local/host/host.ts':
    'local/host/appFunctions.ts local/host/http local/host/timer local/host/blob local/host/eventHub local/host/durable local/host local/stack',
  'local/host/appFunctions.ts': 'local/host/http local/host/timer local/host/blob local/host/eventHub local/host',
  'local/host/http': 'local/host/blob local/host',
  'local/host/timer': 'local/host/blob local/host',
  'local/host/blob': 'local/host',
  'local/host/eventHub': 'local/host',
  'local/host/durable': 'local/host local/stack',
  'local/host': 'local/stack',
  // Its folders are one room.
  'local/hub': 'local/stack',
  'local/stack': '',
};

/** Plain helpers that all rooms of the app and the command line may use. */
const KNOWN_TO_ALL = ['defined.ts'];

/** Folders that are a room together with the folders in them. */
const WITH_FOLDERS = ['local/hub'];

/** The only files of `src/lib` of which orchestrations may use more than types: pure, so that a replay does as before. */
const PURE = [
  'src/lib/defined.ts',
  'src/lib/mirror/refresh/refreshPlan.ts',
  'src/lib/provisioning/run/epoch.ts',
  'src/lib/provisioning/steps/flow.ts',
  'src/lib/runs/step.ts',
  'src/lib/turns/delays.ts',
  'src/lib/turns/turnQueue.ts',
  'src/lib/work/workSteps.ts',
];

/** Packages of the Functions host, and the rooms that may know them. */
const HOST_PACKAGES: Readonly<Record<string, readonly string[]>> = {
  '@azure/functions': ['src/functions', 'src/handlers', 'src/hosting'],
  '@azure/functions-extensions-base': ['src/hosting'],
  'durable-functions': ['src/functions', 'src/handlers', 'src/hosting', 'src/orchestrations'],
};

/** The host imports the app that it runs. */
const IMPORT_AT_RUN_TIME = ['local/host/appFiles.ts'];

const FOLDERS = ['docs', 'tools', 'bench', 'cli', 'src', 'local'];

function provisioning(rooms: string): string {
  return rooms.replaceAll(/\w+/g, 'provisioning/$&');
}

interface Table {
  readonly rooms: readonly string[];
  readonly knows: ReadonlyMap<string, ReadonlySet<string>>;
}

function tableOf(mayKnow: Readonly<Record<string, string>>): Table {
  const known = (names: string) => names.split(' ').filter((name) => name !== '');
  const full = (name: string) => (FOLDERS.includes(name.split('/')[0] ?? '') ? name : `src/lib/${name}`);
  const shared = (room: string) => (/^local|defined/.test(room) ? [] : KNOWN_TO_ALL);
  const knows = new Map(
    Object.entries(mayKnow).map(([room, names]) => [room, new Set([...known(names), ...shared(room)].map(full))]),
  );
  return { rooms: [...knows.keys()], knows };
}

/** The room that a file is in; undefined: in none. */
function roomOf(file: string, { knows }: Table): string | undefined {
  const whole = WITH_FOLDERS.find((folder) => file.startsWith(`${folder}/`));
  return [whole, file, dirname(file)].find((room) => room !== undefined && knows.has(room));
}

/** Everything in which files break the rules: `FILE:LINE imports FILE: RULE`. */
function violations(sources: ReadonlyMap<string, string>, table: Table): string[] {
  const graph = importGraph(sources);
  const found = Array.from(sources.keys()).flatMap((file) =>
    roomOf(file, table) === undefined ? [`${file} is in a folder that the table of rooms does not have.`] : [],
  );
  for (const [file, imports] of graph) {
    for (const one of imports) {
      const rule = ruleBroken(file, one, table);
      const imported = one.target ?? one.specifier ?? 'what is only known at run time';
      if (rule !== undefined) found.push(`${file}:${one.line} imports ${imported}: ${rule}`);
    }
  }
  for (const circle of circlesOf(graph))
    found.push(`${circle.join(' imports ')}: files import each other in no circle.`);
  return found;
}

function ruleBroken(file: string, { specifier, target, isType }: Import, table: Table): string | undefined {
  const from = roomOf(file, table);
  if (specifier === undefined) {
    return IMPORT_AT_RUN_TIME.includes(file) ? undefined : 'what is imported stands in the file.';
  }
  if (PURE.includes(file) && !isType && !PURE.includes(target ?? '')) {
    return 'pure files use nothing but each other and types.';
  }
  if (target === undefined) {
    const allowed = HOST_PACKAGES[specifier];
    if (from === undefined || !from.startsWith('src') || allowed === undefined || allowed.includes(from))
      return undefined;
    return `only ${allowed.join(', ')} know the Functions host.`;
  }
  const to = roomOf(target, table);
  if (to === undefined) return target.endsWith('.ts') ? 'it is in no room.' : undefined;
  if (from === undefined || from === to) return undefined;
  if (table.knows.get(from)?.has(to) !== true) return `${from} may not know ${to}.`;
  if (from === 'src/orchestrations' && !isType && !PURE.includes(target)) {
    return 'orchestrations use types and pure functions only.';
  }
  return undefined;
}

process.chdir(projectRoot());

describe('the table of rooms', () => {
  const table = tableOf(MAY_KNOW);

  it('only goes down', () => {
    const up = table.rooms.flatMap((room, at) =>
      [...(table.knows.get(room) ?? [])]
        .filter((other) => table.rooms.indexOf(other) <= at)
        .map((other) => [room, other]),
    );
    expect(up).toEqual([]);
  });

  it('has rooms that exist', () => {
    expect([...table.rooms, ...WITH_FOLDERS].filter((room) => !existsSync(room))).toEqual([]);
  });

  it.each([
    ['src/lib', ['src/lib']],
    ['src', ['src']],
    ['local', ['local']],
    ['cli', ['cli', 'src/lib', 'local/stack']],
    ['tools', ['tools', 'src']],
  ])('lets %s know only %j', (folder, allowed) => {
    const isIn = (room: string, place: string) => room === place || room.startsWith(`${place}/`);
    const wrong = table.rooms
      .filter((room) => isIn(room, folder))
      .flatMap((room) => [...(table.knows.get(room) ?? [])])
      .filter((known) => !allowed.some((place) => isIn(known, place)));
    expect(wrong).toEqual([]);
  });
});

describe('CONTRIBUTING.md', () => {
  it('shows the rooms of src/lib, in the order of the table', () => {
    const { rooms } = tableOf(MAY_KNOW);
    const folders = rooms.flatMap((room) => /^src\/lib\/(?!devicesFile\/)(?:.*\/)?(\w+)$/.exec(room)?.[1] ?? []);
    const [, tree = ''] = readFileSync('CONTRIBUTING.md', 'utf8').split('src/lib/ ', 2);
    const shown = Array.from(tree.matchAll(/^ +(\w+)\/ /gm), ([, folder = '']) => folder);
    expect(shown.filter((folder) => folders.includes(folder))).toEqual(folders);
  });
});

describe('the files', () => {
  it('know nothing but what their room may know', () => {
    expect(violations(sourcesBelow(FOLDERS), tableOf(MAY_KNOW))).toEqual([]);
  });
});

describe('an import that breaks a rule is told', () => {
  const table = tableOf({
    'src/functions': 'src/orchestrations runs',
    'src/orchestrations': 'runs turns',
    'src/lib/runs': 'turns',
    'src/lib/turns': '',
    'local/host': '',
  });
  const told = (file: string, text: string, others: Readonly<Record<string, string>> = {}) =>
    violations(new Map(Object.entries({ ...others, [file]: text })), table);

  it.each([
    ['statically', "\nimport { a } from '../runs/a.ts';"],
    ['for its effect', "\nimport '../runs/a.ts';"],
    ['as a type', "\nimport type { A } from '../runs/a.ts';"],
    ['among others', "\nimport {\n  type A,\n  b,\n} from '../runs/a.ts';"],
    ['to be exported', "\nexport { a } from '../runs/a.ts';"],
    ['to be exported as a whole', "\nexport * from '../runs/a.ts';"],
    ['dynamically', "\nconst a = await import('../runs/a.ts');"],
    ['in a type', "\nlet a: import('../runs/a.ts').A;"],
    ['as the type of a module', "\nlet a: typeof import('../runs/a.ts');"],
    ['by require', "\nconst a = require('../runs/a.ts');"],
    ['by a require that is made', "\nconst a = createRequire(import.meta.url)('../runs/a.ts');"],
  ])('%s', (_, text) => {
    expect(told('src/lib/turns/t.ts', text)).toEqual([
      `src/lib/turns/t.ts:${text.includes('\n} from') ? 5 : 2} imports src/lib/runs/a.ts: src/lib/turns may not know src/lib/runs.`,
    ]);
  });

  it.each([
    ['of a comment', "// import '../runs/a.ts'\n/* import('../runs/a.ts') */"],
    ['of a text', 'const text = "import \'../runs/a.ts\'";'],
    ['of a room below', "import { a } from './other.ts';\nexport const b = a;"],
  ])('but none %s', (_, text) => {
    expect(told('src/lib/turns/t.ts', text)).toEqual([]);
  });

  it('with what is only known at run time', () => {
    expect(told('src/lib/turns/t.ts', 'const a = await import(name);')).toEqual([
      'src/lib/turns/t.ts:1 imports what is only known at run time: what is imported stands in the file.',
    ]);
  });

  it('from a folder that is new, and into one', () => {
    expect(told('src/lib/cellar/c.ts', '')).toEqual([
      'src/lib/cellar/c.ts is in a folder that the table of rooms does not have.',
    ]);
    expect(told('src/lib/turns/t.ts', "import './deep/d.ts';")).toEqual([
      'src/lib/turns/t.ts:1 imports src/lib/turns/deep/d.ts: it is in no room.',
    ]);
  });

  it('from the domain to the Functions host', () => {
    expect(told('src/lib/turns/t.ts', "import type { InvocationContext } from '@azure/functions';")).toEqual([
      'src/lib/turns/t.ts:1 imports @azure/functions: only src/functions, src/handlers, src/hosting know the Functions host.',
    ]);
    expect(told('src/functions/f.ts', "import { app } from '@azure/functions';")).toEqual([]);
  });

  it('from an orchestration to more than types and pure functions', () => {
    expect(told('src/orchestrations/o.ts', "import { type A, b } from '../lib/runs/a.ts';")).toEqual([
      'src/orchestrations/o.ts:1 imports src/lib/runs/a.ts: orchestrations use types and pure functions only.',
    ]);
    expect(told('src/orchestrations/o.ts', "import type { A } from '../lib/runs/a.ts';")).toEqual([]);
    expect(told('src/orchestrations/o.ts', "import { b } from '../lib/turns/turnQueue.ts';")).toEqual([]);
  });

  it('from a pure file to one that is not', () => {
    expect(told('src/lib/turns/turnQueue.ts', "import { randomUUID } from 'node:crypto';")).toEqual([
      'src/lib/turns/turnQueue.ts:1 imports node:crypto: pure files use nothing but each other and types.',
    ]);
  });

  it('from the simulated hub to the app', () => {
    expect(told('local/host/h.ts', "import { a } from '../../src/lib/runs/a.ts';")).toEqual([
      'local/host/h.ts:1 imports src/lib/runs/a.ts: local/host may not know src/lib/runs.',
    ]);
  });

  it('in a circle, also in a room', () => {
    const others = { 'src/lib/turns/u.ts': "export * from './t.ts';" };
    expect(told('src/lib/turns/t.ts', "import type { U } from './u.ts';", others)).toEqual([
      'src/lib/turns/u.ts imports src/lib/turns/t.ts imports src/lib/turns/u.ts: files import each other in no circle.',
    ]);
  });
});
