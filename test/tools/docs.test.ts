import { globSync, readFileSync } from 'node:fs';

import { describe, expect, it } from 'vitest';

import { pagesFromCode } from '../../tools/docs.ts';

const root = new URL('../../', import.meta.url);
const pages = pagesFromCode();

describe('what the documentation has from code', () => {
  it.each(pages.map(({ path, ...page }) => [path, page] as const))('is up to date: %s', (_path, { text, expected }) => {
    expect(text, 'run npm run docs').toBe(expected);
  });
});

describe('docs/outcomes.md', () => {
  const page = pages.find(({ path }) => path === 'docs/outcomes.md')?.expected ?? '';

  it('has every code that the app gives anywhere', () => {
    const files = globSync('src/{lib,functions,hosting}/**/*.ts', { cwd: root });
    expect(files.length).toBeGreaterThan(50);
    const missing = files.flatMap((file) => {
      const text = readFileSync(new URL(file, root), 'utf8');
      const codes = [...text.matchAll(/\b(?:code: |code \?\? |unsure\()'([A-Za-z]\w*)'/g)].map(
        ([, code]) => code ?? '',
      );
      return codes.filter((code) => !page.includes(`| \`${code}\` |`)).map((code) => `${code} (${file})`);
    });
    expect(missing, 'add them to a table of texts and run npm run docs').toEqual([]);
  });

  it('says of every code what happened and what to do', () => {
    const rows = page.split('\n').filter((line) => line.startsWith('| `'));
    expect(rows.length).toBeGreaterThan(150);
    for (const row of rows) {
      const cells = row
        .split(/(?<!\\)\|/)
        .slice(1, -1)
        .map((cell) => cell.trim());
      for (const [index, cell] of cells.entries()) {
        // Only the number of an error may be unknown.
        if (index === 1 && cells.length === 5) continue;
        expect(cell, row).not.toBe('');
      }
      expect(row).not.toMatch(/\{\w+\}/);
    }
  });
});

describe('docs/http-api.md', () => {
  it('has the calls that are registered, and no other', () => {
    const registered = globSync('src/functions/*.ts', { cwd: root }).flatMap((file) => {
      const text = readFileSync(new URL(file, root), 'utf8');
      const [, route] = /route: '([^']*)'/.exec(text) ?? [];
      const [, methods = ''] = /methods: \[([^\]]*)\]/.exec(text) ?? [];
      if (route === undefined) return [];
      return [...methods.matchAll(/'(\w+)'/g)].map(
        ([, method]) => `${method} /api/${route.replace(/\{(?:runId|id)\}/, 'ID')}`,
      );
    });
    expect(registered.length).toBeGreaterThan(4);
    const page = readFileSync(new URL('docs/http-api.md', root), 'utf8');
    const told = [...page.matchAll(/^\| `([A-Z]+ \/api\/[^`?]*)(?:\?[^`]*)?` \|/gm)].map(([, call]) => call);
    expect(told.toSorted()).toEqual(registered.toSorted());
  });
});
