/**
 * Writes what the documentation says of codes, settings and options from the tables that the app itself works with:
 *
 *     npm run docs
 *
 * Whole pages are written anew; on other pages what stands between two marks is:
 * `<!-- generated: NAME; npm run docs -->` and `<!-- /generated -->`.
 */

import { globSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

import { renderApiErrors } from './docs/apiErrors.ts';
import { renderMetrics } from './docs/metrics.ts';
import { renderMirrorNotes } from './docs/mirrorNotes.ts';
import { renderOptions } from './docs/options.ts';
import { renderOutcomes } from './docs/outcomes.ts';
import { renderSettings } from './docs/settings.ts';

const ROOT = join(import.meta.dirname, '..');

/** Pages that are written whole. */
const PAGES: Readonly<Record<string, () => string>> = {
  'docs/outcomes.md': renderOutcomes,
};

/** Parts of pages, by the name in their mark. */
const PARTS: Readonly<Record<string, () => string>> = {
  apiErrors: renderApiErrors,
  metrics: renderMetrics,
  mirrorNotes: renderMirrorNotes,
  options: renderOptions,
  settings: renderSettings,
};

const PART = /(<!-- generated: (\w+); npm run docs -->\n)[\s\S]*?(<!-- \/generated -->)/g;

/** Every page that has something from code: as it stands, and as it is to be. */
export function pagesFromCode(): { readonly path: string; readonly text: string; readonly expected: string }[] {
  const paths = globSync(['README.md', 'docs/*.md'], { cwd: ROOT });
  return paths.toSorted().flatMap((path) => {
    const text = readFileSync(join(ROOT, path), 'utf8');
    const render = PAGES[path];
    const expected = render === undefined ? withParts(text, path) : render();
    return render === undefined && expected === text && !text.includes('<!-- generated:')
      ? []
      : [{ path, text, expected }];
  });
}

function withParts(text: string, path: string): string {
  return text.replace(PART, (_, start: string, name: string, end: string) => {
    const render = PARTS[name];
    if (render === undefined) throw new Error(`${path}: nothing is generated under the name ${name}.`);
    return `${start}\n${render()}\n\n${end}`;
  });
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  for (const { path, text, expected } of pagesFromCode()) {
    if (text === expected) continue;
    writeFileSync(join(ROOT, path), expected);
    process.stdout.write(`written: ${path}\n`);
  }
}
