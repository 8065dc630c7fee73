import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, it } from 'vitest';

import { projectRoot } from '../../local/stack/projectRoot.ts';
import { deployedDescription, type PackageLock, runtimePackages } from '../../tools/package.ts';

const read = (file: string) => JSON.parse(readFileSync(join(projectRoot(), file), 'utf8'));
const description = read('package.json') as {
  dependencies: Record<string, string>;
};

describe('what is deployed', () => {
  it('has every package that the app depends on, with all that these need, and none of those for development', () => {
    const folders = runtimePackages(read('package-lock.json') as PackageLock);
    const names = folders.map((folder) => folder.replace('node_modules/', ''));
    expect(names).toEqual(expect.arrayContaining(Object.keys(description.dependencies)));
    expect(['azurite', 'node', 'typescript', 'vitest'].filter((name) => names.includes(name))).toEqual([]);
    for (const name of names.filter((folder) => existsSync(join(projectRoot(), 'node_modules', folder)))) {
      const { dependencies = {} } = read(`node_modules/${name}/package.json`) as typeof description;
      const missing = Object.keys(dependencies).filter((needed) => {
        return (
          !names.includes(needed) && !existsSync(join(projectRoot(), 'node_modules', name, 'node_modules', needed))
        );
      });
      expect(missing, name).toEqual([]);
    }
  });

  it('is described without scripts and packages for development', () => {
    expect(Object.keys(deployedDescription(read('package.json') as Record<string, unknown>)).toSorted()).toEqual([
      'dependencies',
      'engines',
      'license',
      'main',
      'name',
      'private',
      'type',
      'version',
    ]);
  });
});
