/** What the parts of the local Functions host know of each other. */

/** A 64-bit number where it is not a JavaScript one (the `long` package's object). */
export interface Int64Parts {
  readonly low: number;
  readonly high: number;
  readonly unsigned: boolean;
}

/** A value on the worker's RPC edge (azure-functions-nodejs-worker, RpcTypedData): exactly one member is set. */
export interface TypedData {
  readonly string?: string;
  readonly json?: string;
  readonly bytes?: Uint8Array;
  readonly int?: number;
  readonly double?: number;
  readonly http?: unknown;
  readonly collectionString?: { readonly string: readonly string[] };
  readonly collectionBytes?: { readonly bytes: readonly Uint8Array[] };
  readonly collectionSint64?: { readonly sint64: readonly (number | Int64Parts)[] };
  readonly modelBindingData?: {
    readonly version: string;
    readonly source: string;
    readonly contentType: string;
    readonly content: Uint8Array;
  };
}

export interface InvocationRequest {
  /** Data by binding name: the trigger's and that of extra inputs the caller provides (the host core adds `durableClient` inputs itself). */
  readonly inputs: Readonly<Record<string, TypedData>>;
  readonly triggerMetadata?: Readonly<Record<string, TypedData>>;
  readonly retryContext?: { readonly retryCount: number; readonly maxRetryCount: number };
}

export interface InvocationResult {
  readonly returnValue?: TypedData;
  readonly outputs: Readonly<Record<string, TypedData>>;
}

export interface LoadedFunction {
  readonly name: string;
  readonly triggerType: string;
  /** Name of the trigger binding, e.g. `activityTrigger0a1b2c3d4e`. */
  readonly triggerBindingName: string;
  /** The bindings as the app registered them, by binding name. */
  readonly bindings: Readonly<
    Record<string, Readonly<Record<string, unknown>> & { readonly type: string; readonly direction?: string }>
  >;
  readonly retryOptions?: Readonly<Record<string, unknown>>;
}

/** Runs one function once; rejects with the error that the handler threw. */
export type Invoke = (functionName: string, request: InvocationRequest) => Promise<InvocationResult>;

/** Deliberate unkindness, seeded: the same seed gives the same choices. */
export interface Unkindness {
  readonly seed: number;
  /** True with the given probability (0..1). */
  chance(probability: number): boolean;
  /** A whole number of milliseconds in [0, upTo). */
  delayMs(upTo: number): number;
}

export interface HttpRequestLike {
  readonly method: string;
  /** Path and query, e.g. `/runtime/webhooks/durabletask/instances/abc?code=x`. */
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

export interface HttpResponseLike {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array | string;
}

export interface DurableEngineOptions {
  /** SQLite file; its folder exists. */
  readonly databasePath: string;
  readonly taskHub: string;
  /** Every loaded function; the engine picks those with activity, orchestration and entity triggers. */
  readonly functions: readonly LoadedFunction[];
  readonly invoke: Invoke;
  /** `http://127.0.0.1:PORT` of the host: base of the management URLs. */
  readonly baseUrl: string;
  /** System key put into management URLs as `code`, when auth is on. */
  readonly systemKey?: string;
  /** The `extensions.durableTask` section of host.json. */
  readonly hostJson: Readonly<Record<string, unknown>>;
  readonly unkind?: Unkindness;
  readonly log: (level: 'debug' | 'info' | 'warning' | 'error', message: string) => void;
}

export interface DurableEngine {
  /** Begins dispatching, first whatever an earlier process left unfinished. */
  start(): void;
  /** Takes no new work, waits for running invocations (bounded), closes the database. */
  stop(): Promise<void>;
  /** JSON text of the `durableClient` input binding. */
  clientBinding(): string;
  /** Serves `/runtime/webhooks/durabletask/...` and `/durabletask/...` (the loopback RPC base); undefined when the path is not the engine's. */
  handleHttp(request: HttpRequestLike): Promise<HttpResponseLike | undefined>;
}
