import { AsyncLocalStorage } from 'node:async_hooks';
import { randomBytes, randomUUID } from 'node:crypto';
import { resolve } from 'node:path';
import { loadAppFiles } from './appFiles.ts';
import type { InvocationRequest, InvocationResult, Invoke, LoadedFunction, TypedData } from './contracts.ts';
import { type AppRegistrations, installCoreApi } from './coreApi.ts';
import type {
  CoreInvocationContext,
  CoreInvocationRequest,
  CoreLogLevel,
  FunctionCallback,
  FunctionMetadata,
  ProgrammingModel,
} from './coreTypes.ts';
import { captureConsole, createHostLog, errorText, type HostLog, type LogLevel } from './log.ts';

export interface LoadedApp {
  readonly functions: readonly LoadedFunction[];
  /** Worker capabilities after the app had its say, e.g. `HttpUri` when it asked for HTTP streaming. */
  readonly capabilities: Readonly<Record<string, string>>;
  /** Runs one function once, hooks included. It has no time limit: that is the caller's. */
  readonly invoke: Invoke;
  /** Where the text of `durableClient` inputs comes from; needed before such a function is invoked. */
  setDurableClientBinding(provider: () => string): void;
  /** Runs the app's `appTerminate` hooks. */
  terminate(): Promise<void>;
}

export interface LoadAppOptions {
  /** Default: standard error, from level info. */
  readonly log?: HostLog;
}

/** Capabilities of the worker itself (azure-functions-nodejs-worker, WorkerInitHandler.ts); the app may add more. */
const workerCapabilities: Readonly<Record<string, string>> = Object.fromEntries(
  [
    'RawHttpBodyBytes',
    'RpcHttpTriggerMetadataRemoved',
    'RpcHttpBodyOnly',
    'IgnoreEmptyValuedRpcHttpHeaders',
    'UseNullableValueDictionaryForHttp',
    'WorkerStatus',
    'TypedDataCollection',
    'HandlesWorkerTerminateMessage',
  ].map((name) => [name, 'true']),
);

/** The invocation whose code runs at the moment: gives `console` lines and the core's `log` their function name. */
const running = new AsyncLocalStorage<{ readonly functionName: string; readonly context: unknown }>();

const hostLevels: Record<CoreLogLevel, LogLevel | undefined> = {
  trace: 'debug',
  debug: 'debug',
  information: 'info',
  warning: 'warning',
  error: 'error',
  critical: 'error',
  none: undefined,
};

/**
 * Loads the app of a folder into this process: gives it `@azure/functions-core`, loads the files of package.json
 * `main`, runs the `appStart` hooks, then closes the registration (azure-functions-nodejs-worker, startApp.ts).
 *
 * @throws AppLoadError with every problem, by file.
 */
export async function loadApp(appDirectory: string, options: LoadAppOptions = {}): Promise<LoadedApp> {
  const log = options.log ?? createHostLog();
  const directory = resolve(appDirectory);
  captureConsole(log, () => running.getStore()?.functionName ?? 'app');

  const registrations = installCoreApi((level, category, message) => {
    const store = running.getStore();
    writeLog(level, {
      category,
      message,
      source: store?.functionName ?? 'app',
      ...(store && { invocationContext: store.context }),
    });
  });
  const appHookData: Record<string, unknown> = {};
  const appLevelHookData: Record<string, unknown> = {};
  const appContext = (extra: Record<string, unknown>) =>
    readOnly({ hookData: appLevelHookData, appHookData, ...extra });

  interface LogEvent {
    readonly category: string;
    readonly message: string;
    readonly source: string;
    readonly invocationContext?: unknown;
  }

  function writeLog(level: CoreLogLevel, event: LogEvent): void {
    const hookContext = { ...event, level, hookData: appLevelHookData, appHookData };
    for (const callback of registrations.hooks.log) {
      callback(hookContext);
    }
    const hostLevel = hostLevels[hookContext.level];
    if (hostLevel !== undefined) {
      // What the library says for the platform's telemetry is of no interest here, short of a problem.
      const shown = event.category === 'system' && hostLevel === 'info' ? 'debug' : hostLevel;
      log(shown, event.source, hookContext.message);
    }
  }

  await loadAppFiles(directory);
  for (const callback of registrations.hooks.appStart) {
    await callback(appContext({ functionAppDirectory: directory }));
  }
  registrations.locked = true;
  const capabilities = (await registrations.model?.getCapabilities({ ...workerCapabilities })) ?? workerCapabilities;
  const functions = [...registrations.functions.values()].map(({ metadata }) => loadedFunction(metadata));

  let durableClientBinding: (() => string) | undefined;

  async function invoke(functionName: string, request: InvocationRequest): Promise<InvocationResult> {
    const { model, metadata, callback } = registered(registrations, functionName);
    const inputs = { ...request.inputs };
    for (const [name, binding] of Object.entries(metadata.bindings)) {
      if (binding.type === 'durableClient' && inputs[name] === undefined) {
        if (durableClientBinding === undefined) {
          throw new Error(`Function "${functionName}" has a durable client, and no durable engine runs.`);
        }
        inputs[name] = { string: durableClientBinding() };
      }
    }
    const coreRequest = coreInvocationRequest(functionName, inputs, request);
    let invocationContext: unknown;
    const coreContext: CoreInvocationContext = {
      invocationId: coreRequest.invocationId,
      metadata,
      request: coreRequest,
      state: undefined,
      log: (level, category, message) =>
        writeLog(level, { category, message, source: functionName, invocationContext }),
    };
    const invocationModel = model.getInvocationModel(coreContext);
    const started = await invocationModel.getArguments();
    invocationContext = started.context;

    return running.run({ functionName, context: invocationContext }, async () => {
      const hookContext = readOnly(
        { hookData: {}, appHookData, invocationContext },
        { functionCallback: callback as unknown, inputs: started.inputs as unknown },
      );
      coreContext.state = 'preInvocationHooks';
      for (const hook of registrations.hooks.preInvocation) {
        await hook(hookContext);
      }

      const outcome: { result: unknown; error: unknown } = { result: undefined, error: undefined };
      coreContext.state = 'invocation';
      try {
        outcome.result = await invocationModel.invokeFunction(
          invocationContext,
          hookContext.inputs as unknown[],
          hookContext.functionCallback as FunctionCallback,
        );
      } catch (error) {
        // A handler may throw undefined; it has failed all the same.
        outcome.error = error ?? new Error('Unknown error');
      }

      coreContext.state = 'postInvocationHooks';
      // The same object goes on, so that what pre-invocation hooks replaced stays visible.
      const postContext = Object.assign(hookContext, outcome);
      for (const hook of registrations.hooks.postInvocation) {
        await hook(postContext);
      }
      coreContext.state = undefined;
      if (postContext.error !== undefined && postContext.error !== null) {
        throw postContext.error instanceof Error ? postContext.error : new Error(String(postContext.error));
      }
      const response = await invocationModel.getResponse(invocationContext, postContext.result);
      return {
        ...(response.returnValue !== null && response.returnValue !== undefined
          ? { returnValue: response.returnValue }
          : {}),
        outputs: Object.fromEntries((response.outputData ?? []).map(({ name, data }) => [name, data])),
      };
    });
  }

  return {
    functions,
    capabilities,
    invoke,
    setDurableClientBinding(provider) {
      durableClientBinding = provider;
    },
    async terminate() {
      for (const callback of registrations.hooks.appTerminate) {
        try {
          await callback(appContext({}));
        } catch (error) {
          log('error', 'app', `An appTerminate hook failed: ${errorText(error)}`);
        }
      }
    },
  };
}

function registered(
  { functions, model }: AppRegistrations,
  functionName: string,
): { model: ProgrammingModel; metadata: FunctionMetadata; callback: FunctionCallback } {
  const found = functions.get(functionName);
  if (found === undefined || model === undefined) {
    throw new Error(`The app has no function "${functionName}".`);
  }
  return { ...found, model };
}

function loadedFunction(metadata: FunctionMetadata): LoadedFunction {
  const trigger = Object.entries(metadata.bindings).find(([, binding]) => /trigger$/i.test(binding.type));
  if (trigger === undefined) {
    throw new Error(`Function "${metadata.name}" has no trigger.`);
  }
  return {
    name: metadata.name,
    triggerBindingName: trigger[0],
    triggerType: trigger[1].type,
    bindings: metadata.bindings,
    ...(metadata.retryOptions && { retryOptions: metadata.retryOptions }),
  };
}

/** One invocation on the wire. The trigger's input comes first, as the host sends it; it becomes the first argument. */
function coreInvocationRequest(
  functionId: string,
  inputs: Readonly<Record<string, TypedData>>,
  request: InvocationRequest,
): CoreInvocationRequest {
  return {
    invocationId: randomUUID(),
    functionId,
    inputData: Object.entries(inputs).map(([name, data]) => ({ name, data })),
    triggerMetadata: request.triggerMetadata ?? {},
    traceContext: {
      traceParent: `00-${randomBytes(16).toString('hex')}-${randomBytes(8).toString('hex')}-00`,
      traceState: '',
      attributes: {},
    },
    ...(request.retryContext && { retryContext: request.retryContext }),
  };
}

/** An object whose first members cannot be assigned, as the worker's hook contexts are; those of `writable` can. */
function readOnly(fixed: Record<string, unknown>, writable: Record<string, unknown> = {}): Record<string, unknown> {
  const object: Record<string, unknown> = { ...writable };
  for (const [name, value] of Object.entries(fixed)) {
    Object.defineProperty(object, name, {
      enumerable: true,
      get: () => value,
      set: () => {
        throw new TypeError(`Cannot assign to read only property '${name}'`);
      },
    });
  }
  return object;
}
