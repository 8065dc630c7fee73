import type { Configuration } from '../registry/index.ts';
import { pathOf } from '../registryLines/differences.ts';

/** Fields of devices and modules that configurations set on their targets, as a comparison names them. */
export function configuredFields(configurations: readonly Pick<Configuration, 'content'>[]): string[] {
  const fields = new Set<string>();
  for (const { content } of configurations) {
    const { deviceContent = {}, moduleContent = {}, modulesContent = {} } = content;
    for (const set of [deviceContent, moduleContent, ...Object.values(modulesContent)]) {
      for (const key of Object.keys(set ?? {})) fields.add(pathOf(key.split('.')));
    }
  }
  return [...fields];
}
