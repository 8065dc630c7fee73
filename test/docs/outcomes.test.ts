import { globSync, readFileSync } from 'node:fs';

import { describe, expect, it } from 'vitest';

import { renderOutcomes } from '../../docs/outcomes.ts';

const root = new URL('../../', import.meta.url);
const page = readFileSync(new URL('docs/outcomes.md', root), 'utf8');

describe('docs/outcomes.md', () => {
  it('is what `npm run docs:outcomes` writes from the tables of the app', () => {
    expect(page).toBe(renderOutcomes());
  });

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
    expect(missing, 'add them to src/lib/provisioning/outcomeCodes.ts and run npm run docs:outcomes').toEqual([]);
  });

  it('says of every code what happened and what to do', () => {
    const rows = page.split('\n').filter((line) => line.startsWith('| `'));
    expect(rows.length).toBeGreaterThan(150);
    for (const row of rows) {
      const cells = row
        .split(/(?<!\\)\|/)
        .slice(1, -1)
        .map((cell) => cell.trim());
      // Only the number of an error may be unknown.
      const needed = cells.length === 5 ? [0, 2, 3, 4] : cells.map((_, index) => index);
      for (const index of needed) expect(cells[index], row).not.toBe('');
      expect(row).not.toMatch(/\{\w+\}/);
    }
  });
});
