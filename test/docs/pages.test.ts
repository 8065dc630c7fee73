/** The pages for people: what they name exists, and the first of them stays short. */

import { existsSync, globSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';

import { describe, expect, it } from 'vitest';

import { createCommandLine } from '../../cli/commandLine.ts';
import { helpText } from '../../local/hub/commandLine.ts';
import { projectRoot } from '../../local/stack/projectRoot.ts';

process.chdir(projectRoot());

interface Page {
  readonly file: string;
  readonly text: string;
  /** Without blocks of code. */
  readonly prose: string;
  /** The blocks of code and what stands in backticks, a line each. */
  readonly code: readonly string[];
}

const PAGES: readonly Page[] = ['README.md', 'CONTRIBUTING.md', ...globSync('{docs,local}/**/*.md').sort()].map(
  (file) => {
    const text = readFileSync(file, 'utf8');
    const prose = text.replaceAll(/^ *```[\s\S]*?^ *```$/gm, '');
    const blocks = [...text.matchAll(/^ *```\w*\n([\s\S]*?)^ *```$/gm)].flatMap(([, block = '']) => block.split('\n'));
    const spans = [...prose.matchAll(/`([^`]+)`/g)].map(([, span = '']) => span.replaceAll(/\s+/g, ' '));
    return { file, text, prose, code: [...blocks, ...spans] };
  },
);

const SCRIPTS = (JSON.parse(readFileSync('package.json', 'utf8')) as { scripts: Record<string, string> }).scripts;

/** The anchors of a page, as GitHub makes them from its headings. */
function anchorsOf(file: string): ReadonlySet<string> {
  const prose = readFileSync(file, 'utf8').replaceAll(/^ *```[\s\S]*?^ *```$/gm, '');
  const headings = [...prose.matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) => heading);
  return new Set(
    headings.map((heading) =>
      heading
        .toLowerCase()
        .replaceAll(/[^\w\- ]/g, '')
        .replaceAll(' ', '-'),
    ),
  );
}

/** All findings of one kind, each with its page. */
function wrongIn(find: (page: Page) => readonly string[]): readonly string[] {
  return PAGES.flatMap((page) => find(page).map((what) => `${page.file}: ${what}`));
}

function linksOf({ prose }: Page): string[] {
  return [...prose.matchAll(/\]\(([^)\s]+)\)/g)].map(([, link = '']) => link).filter((link) => !/^https?:/.test(link));
}

const COMMANDS = new Map(
  createCommandLine(() => undefined).commands.map((command) => {
    // Those of its own commands are its own.
    const flags = [command, ...command.commands].flatMap(({ options }) =>
      options.flatMap(({ short, long }) => [short, long]),
    );
    return [command.name(), new Set<string | null | undefined>(['--help', ...flags])];
  }),
);

/** Flags of the simulator and of the host. */
const LOCAL_FLAGS = `${helpText()}\n${readFileSync('local/host/commandLine.ts', 'utf8')}`.match(/--[a-z][\w-]*/g) ?? [];

/** Flags of programs of others that the pages show. */
const FOREIGN_FLAGS = [
  ...['--apparent-size', '--omit', '--silent', '--skipApiVersionCheck'],
  // az
  ...['--sku', '--namespace-name', '--partition-count', '--eventhub-name', '--en', '--identity', '--endpoint-uri'],
  ...['--entity-path', '--route-name', '--endpoint-name', '--source', '--condition', '--location', '--output'],
  ...['--parameters', '--query', '--resource-group', '--src', '--template-file'],
  ...['--key-type', '--key-name', '--renew-key'],
  // azcopy
  '--recursive',
];

interface Call {
  readonly verb: string;
  readonly flags: readonly string[];
}

/** The calls of the command line in a line of code; npm scripts that lead to one are calls, too. */
function callsIn(line: string): readonly Call[] {
  const typed = line
    .replaceAll(/npm run provision( --)?/g, 'hubkeeper provision')
    .replaceAll(/npm start(?: --silent)?/g, 'hubkeeper local');
  return [...typed.matchAll(/(?:^|[\s(])hubkeeper ([a-z][a-z-]*)([^|;&>]*)/g)].map(([, verb = '', rest = '']) => ({
    verb,
    flags: flagsIn(rest),
  }));
}

function flagsIn(code: string): readonly string[] {
  return code.match(/(?<=^|[\s"'(])--[a-zA-Z][\w-]*(?!…)\b/g) ?? [];
}

describe('the pages', () => {
  it('begin with a README of at most 200 lines', () => {
    expect(PAGES[0]?.text.trimEnd().split('\n').length).toBeLessThanOrEqual(200);
  });

  it('name the command that the gate runs', () => {
    const [, command = ''] = /bash -c '([^']*)'/.exec(readFileSync('.ci/run', 'utf8')) ?? [];
    expect(command).toBe('npm ci && npm test');
    expect(PAGES[0]?.code).toContain(command);
  });

  it('link to files and headings that exist', () => {
    expect(PAGES.flatMap(linksOf).length).toBeGreaterThan(60);
    const dead = wrongIn((page) =>
      linksOf(page).filter((link) => {
        const [path = '', anchor] = link.split('#');
        const target = path === '' ? page.file : join(dirname(page.file), path);
        return !existsSync(target) || (anchor !== undefined && !anchorsOf(target).has(anchor));
      }),
    );
    expect(dead).toEqual([]);
  });

  it('are each linked from another', () => {
    const linked = PAGES.flatMap((page) =>
      linksOf(page).map((link) => join(dirname(page.file), link.split('#')[0] ?? '')),
    );
    const lonely = PAGES.map(({ file }) => file).filter((file) => file !== 'README.md' && !linked.includes(file));
    expect(lonely).toEqual([]);
  });

  it('name npm scripts that exist', () => {
    const named = PAGES.flatMap(({ text }) => [...text.matchAll(/npm run (?:-s |--silent )?([a-z][\w:-]*)/g)]);
    expect(named.length).toBeGreaterThan(20);
    const unknown = named.map(([, name = '']) => name).filter((name) => SCRIPTS[name] === undefined);
    expect(unknown).toEqual([]);
  });

  it('name commands of hubkeeper that exist, each with flags of its own', () => {
    const calls = PAGES.flatMap(({ file, code }) => code.flatMap(callsIn).map((call) => ({ file, ...call })));
    expect(calls.length).toBeGreaterThan(40);
    const wrong = calls.flatMap(({ file, verb, flags }) => {
      if (verb === 'help') return [];
      const known = COMMANDS.get(verb);
      if (known === undefined) return [`${file}: hubkeeper ${verb}`];
      return flags.filter((flag) => !known.has(flag)).map((flag) => `${file}: hubkeeper ${verb} ${flag}`);
    });
    expect(wrong).toEqual([]);
  });

  it('name flags that some program has', () => {
    const known = new Set([...[...COMMANDS.values()].flatMap((flags) => [...flags]), ...LOCAL_FLAGS, ...FOREIGN_FLAGS]);
    expect(wrongIn(({ code }) => code.flatMap(flagsIn).filter((flag) => !known.has(flag)))).toEqual([]);
    const used = PAGES.flatMap(({ code }) => code.flatMap(flagsIn));
    expect(FOREIGN_FLAGS.filter((flag) => !used.includes(flag))).toEqual([]);
  });

  it('name files of the project that exist', () => {
    const files = globSync('{src,test,cli,local,bench,tools,docs}/**/*.ts');
    // In full from a folder of the project, or by the end of the path.
    const inFull = /(?<![\w./-])(?:src|test|cli|local|bench|tools|samples|docs)\/[\w./-]*\w/g;
    const byEnd = /(?<![\w./-])(?!(?:src|test|cli|local|bench|tools|samples|docs)\/)(?:\w+\/)?\w+\.ts\b/g;
    const missing = wrongIn(({ code }) =>
      code.flatMap((line) => [
        ...(line.match(inFull) ?? []).filter((path) => !existsSync(path)),
        ...(line.match(byEnd) ?? []).filter((end) => !files.some((file) => file.endsWith(`/${end}`))),
      ]),
    );
    expect(missing).toEqual([]);
    const named = (pattern: RegExp) => PAGES.flatMap(({ code }) => code.flatMap((line) => line.match(pattern) ?? []));
    expect(named(inFull).length).toBeGreaterThan(20);
    expect(named(byEnd).length).toBeGreaterThan(5);
  });
});

describe('CONTRIBUTING.md', () => {
  it('shows every folder of the app', () => {
    const tree = PAGES.find(({ file }) => file === 'CONTRIBUTING.md')?.text ?? '';
    const folders = globSync('src/{*,lib/*,lib/provisioning/*}/').map((folder) => basename(folder));
    expect(folders.length).toBeGreaterThan(20);
    expect(folders.filter((folder) => !tree.includes(`${folder}/`))).toEqual([]);
  });
});

/** What the programs say, in words, without comments; a sentence may be put together from several places. */
const SAID = ` ${wordsOf(
  globSync('{src,cli,local}/**/*.{ts,mjs,js}')
    .map((file) =>
      readFileSync(file, 'utf8')
        .replaceAll(/^ *(?:\/\*[\s\S]*?\*\/|\/\/.*)$/gm, '')
        .replaceAll(/['`"] \+\s*['`"]|\$\{[^}]*\}|\{\w+\}/g, ''),
    )
    .join('\n'),
).join(' ')} `;

function wordsOf(text: string): readonly string[] {
  return text.toLowerCase().match(/[a-z]+/g) ?? [];
}

/** Whether at least half of the runs of three words of a quote are said by a program. */
function isSaid(quote: string): boolean {
  const words = wordsOf(quote);
  const runs = words.slice(2).map((_, at) => words.slice(at, at + 3).join(' '));
  return runs.filter((run) => SAID.includes(` ${run} `)).length * 2 >= runs.length;
}

describe('what is quoted', () => {
  it('is said by the programs where troubles are listed', () => {
    const quotes = PAGES.flatMap(({ file, prose }) => {
      if (!/README|troubleshooting/.test(file)) return [];
      const table = prose.slice(prose.search(/^#+ Troubleshooting$/m));
      const cells = [...table.matchAll(/^\| ([^|]*) \|/gm)].map(([, cell = '']) => cell);
      return cells.flatMap((cell) => [...cell.matchAll(/`([^`]+)`/g)].map(([, quote = '']) => quote));
    });
    expect(quotes.length).toBeGreaterThan(30);
    expect(
      quotes.flatMap((quote) => quote.replace(/npx hubkeeper \w+/, '').split(/[…:]/)).filter((part) => !isSaid(part)),
    ).toEqual([]);
  });

  it('is said by the programs where an output is shown', () => {
    const shown = PAGES.flatMap(({ text }) =>
      [...text.matchAll(/^ *```\n((?:Refused|Completed) after [\s\S]*?)^ *```$/gm)].map(([, block = '']) => block),
    );
    const sentences = shown.flatMap((block) => block.match(/^ {2}[A-Z].*$/gm) ?? []);
    expect(sentences.length).toBeGreaterThan(3);
    expect(sentences.flatMap((line) => line.split(/[:\d]/)).filter((part) => !isSaid(part))).toEqual([]);
  });
});
