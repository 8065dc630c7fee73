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
