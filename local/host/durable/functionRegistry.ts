import type { LoadedFunction } from '../contracts.ts';
import type { FunctionKind } from './interpreter.ts';

const kinds: Readonly<Record<string, FunctionKind>> = {
  activityTrigger: 'activity',
  orchestrationTrigger: 'orchestrator',
  entityTrigger: 'entity',
};

/** The app's durable functions. Names are compared without regard to case, as the extension does. */
export interface FunctionRegistry {
  find(kind: FunctionKind, name: string): LoadedFunction | undefined;
  names(kind: FunctionKind): readonly string[];
}

export function createFunctionRegistry(functions: readonly LoadedFunction[]): FunctionRegistry {
  const byKind: Record<FunctionKind, Map<string, LoadedFunction>> = {
    activity: new Map(),
    orchestrator: new Map(),
    entity: new Map(),
  };
  for (const each of functions) {
    const kind = kinds[each.triggerType];
    if (kind !== undefined) {
      byKind[kind].set(each.name.toLowerCase(), each);
    }
  }
  return {
    find: (kind, name) => byKind[kind].get(name.toLowerCase()),
    names: (kind) => [...byKind[kind].values()].map((each) => each.name),
  };
}
