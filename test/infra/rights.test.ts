/** The tables of rights against the code: a client or a kind of trigger that is new needs a line there. */

import { describe, expect, it } from 'vitest';

import { projectRoot } from '../../local/stack/projectRoot.ts';
import { sourcesBelow } from '../helpers/importGraph.ts';
import { RIGHTS_OF_CLIENTS, RIGHTS_OF_TRIGGERS } from './rights.ts';

process.chdir(projectRoot());

/** What a pattern finds in the code below a folder, without comments; each once, sorted. */
function foundIn(folder: string, pattern: RegExp): string[] {
  const found = [...sourcesBelow([folder]).values()].flatMap((text) => {
    const code = text.replaceAll(/\/\*[\s\S]*?\*\/|^ *\/\/.*$/gm, '');
    return Array.from(code.matchAll(pattern), ([, first, second]) => first ?? second ?? '');
  });
  return [...new Set(found)].toSorted();
}

describe('the table of rights', () => {
  it('has every client that the code constructs, and no other', () => {
    const clients = foundIn('src', /\bnew (\w+Client)\(|(?<!function )\b(create\w+Client)\(/g);
    // It sends requests for others, and proves nothing.
    expect(clients.filter((name) => name !== 'createDefaultHttpClient')).toEqual(
      Object.keys(RIGHTS_OF_CLIENTS).toSorted(),
    );
  });

  it('has every kind of function that is registered, and no other', () => {
    const triggers = foundIn('src', /\bapp\.(\w+)(?:<[^(]*>)?\(/g);
    expect(triggers.filter((name) => name !== 'setup')).toEqual(Object.keys(RIGHTS_OF_TRIGGERS).toSorted());
  });
});
