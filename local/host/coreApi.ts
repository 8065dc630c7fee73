import { registerHooks } from 'node:module';
import type {
  CoreLogLevel,
  FunctionCallback,
  FunctionMetadata,
  HookCallback,
  HookName,
  ProgrammingModel,
} from './coreTypes.ts';

const coreModule = '@azure/functions-core';
const coreUrl = 'hubkeeper-host:functions-core';
const coreSlot = Symbol.for('hubkeeper.local.functions-core');

const hookNames: readonly string[] = [
  'preInvocation',
  'postInvocation',
  'appStart',
  'appTerminate',
  'log',
] satisfies HookName[];

/** What an app told `@azure/functions-core` while it was loading. */
export interface AppRegistrations {
  readonly functions: Map<string, { readonly metadata: FunctionMetadata; readonly callback: FunctionCallback }>;
  readonly hooks: Record<HookName, HookCallback[]>;
  model: ProgrammingModel | undefined;
  /** Set when the app has started: registering a function is an error from then on. */
  locked: boolean;
}

/** The worker marks its own errors so; the library looks at the mark. */
function systemError<E extends Error>(error: E): E {
  return Object.assign(error, { isAzureFunctionsSystemError: true });
}

function disposable(dispose: () => void): { dispose(): void } {
  return { dispose };
}

/**
 * Puts `@azure/functions-core` in the reach of `require` and `import`, for the rest of this process. It must happen
 * before the app's first line runs: the library asks once, and falls silently into a test mode when it finds nothing
 * (azure-functions-nodejs-library, utils/tryGetCoreApiLazy.ts).
 *
 * One process holds one app, because the library keeps its state in module variables; a second call throws.
 */
export function installCoreApi(
  writeLog: (level: CoreLogLevel, category: string, message: string) => void,
): AppRegistrations {
  if (coreSlot in globalThis) {
    throw new Error('This process has loaded an app already; a Functions app needs a process of its own.');
  }
  const registrations: AppRegistrations = {
    functions: new Map(),
    hooks: { preInvocation: [], postInvocation: [], appStart: [], appTerminate: [], log: [] },
    model: undefined,
    locked: false,
  };

  const core = {
    version: '3.9.1',
    hostVersion: '4.1037.0',
    Disposable: class {
      #dispose: () => void;
      constructor(dispose: () => void) {
        this.#dispose = dispose;
      }
      dispose(): void {
        this.#dispose();
      }
    },
    registerFunction(metadata: FunctionMetadata, callback: FunctionCallback) {
      if (registrations.locked) {
        throw systemError(new Error('A function can only be registered during app startup.'));
      }
      const id = metadata.functionId ?? metadata.name;
      if (registrations.functions.has(id)) {
        throw systemError(new Error(`A function with id "${id}" has already been registered.`));
      }
      if (typeof callback !== 'function') {
        throw systemError(new Error(`Function "${id}" was registered without a handler.`));
      }
      registrations.functions.set(id, { metadata, callback });
      return disposable(() => {
        if (registrations.locked) {
          throw systemError(new Error('A function can only be disposed during app startup.'));
        }
        registrations.functions.delete(id);
      });
    },
    setProgrammingModel(model: ProgrammingModel) {
      registrations.model = model;
    },
    getProgrammingModel() {
      return registrations.model;
    },
    registerHook(name: string, callback: HookCallback) {
      if (!hookNames.includes(name)) {
        throw systemError(new RangeError(`Unrecognized hook "${name}". Known hooks: ${hookNames.join(', ')}.`));
      }
      const list = registrations.hooks[name as HookName];
      list.push(callback);
      return disposable(() => {
        const index = list.indexOf(callback);
        if (index !== -1) {
          list.splice(index, 1);
        }
      });
    },
    log: writeLog,
  };

  Object.defineProperty(globalThis, coreSlot, { value: core });
  registerHooks({
    resolve: (specifier, context, next) =>
      specifier === coreModule ? { url: coreUrl, format: 'commonjs', shortCircuit: true } : next(specifier, context),
    load: (url, context, next) =>
      url === coreUrl
        ? {
            format: 'commonjs',
            source: `module.exports = globalThis[Symbol.for(${JSON.stringify(coreSlot.description)})];`,
            shortCircuit: true,
          }
        : next(url, context),
  });
  return registrations;
}
