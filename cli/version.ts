import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { projectRoot } from '../local/stack/projectRoot.ts';

/** The version in package.json. */
export function version(): string {
  const content: unknown = JSON.parse(readFileSync(join(projectRoot(), 'package.json'), 'utf8'));
  const value = (content as { version?: unknown }).version;
  if (typeof value !== 'string') throw new Error('package.json names no version.');
  return value;
}
