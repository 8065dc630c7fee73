import type { TypedData } from './contracts.ts';

/**
 * What `@azure/functions` and the worker say to each other: the part of `@azure/functions-core` that the library uses
 * (azure-functions-nodejs-worker, types-core/index.d.ts).
 */
export type BindingInfo = Record<string, unknown> & { type: string; direction?: string };

export interface FunctionMetadata {
  readonly name: string;
  readonly bindings: Record<string, BindingInfo>;
  readonly retryOptions?: Record<string, unknown>;
  readonly functionId?: string;
}

export type FunctionCallback = (...args: unknown[]) => unknown;

export type HookName = 'preInvocation' | 'postInvocation' | 'appStart' | 'appTerminate' | 'log';

export type HookCallback = (context: Record<string, unknown>) => unknown;

export type CoreLogLevel = 'trace' | 'debug' | 'information' | 'warning' | 'error' | 'critical' | 'none';

export type InvocationState = 'preInvocationHooks' | 'invocation' | 'postInvocationHooks';

export interface CoreInvocationRequest {
  readonly invocationId: string;
  readonly functionId: string;
  readonly inputData: readonly { readonly name: string; readonly data: TypedData }[];
  readonly triggerMetadata: Readonly<Record<string, TypedData>>;
  readonly traceContext: {
    readonly traceParent: string;
    readonly traceState: string;
    readonly attributes: Record<string, string>;
  };
  readonly retryContext?: { readonly retryCount: number; readonly maxRetryCount: number };
}

export interface CoreInvocationContext {
  readonly invocationId: string;
  readonly metadata: FunctionMetadata;
  readonly request: CoreInvocationRequest;
  state: InvocationState | undefined;
  log(level: CoreLogLevel, category: string, message: string): void;
}

export interface CoreInvocationResponse {
  readonly invocationId: string;
  readonly outputData?: readonly { readonly name: string; readonly data: TypedData }[];
  readonly returnValue?: TypedData | null;
}

export interface InvocationModel {
  getArguments(): Promise<{ context: unknown; inputs: unknown[] }>;
  invokeFunction(context: unknown, inputs: unknown[], callback: FunctionCallback): Promise<unknown>;
  getResponse(context: unknown, result: unknown): Promise<CoreInvocationResponse>;
}

export interface ProgrammingModel {
  readonly name: string;
  readonly version: string;
  getInvocationModel(context: CoreInvocationContext): InvocationModel;
  getCapabilities(defaults: Record<string, string>): Promise<Record<string, string>>;
}
