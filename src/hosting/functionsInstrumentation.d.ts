/** What is used of it. Its own types are those of its bundle, and of an older interface of instrumentations. */
declare module '@azure/functions-opentelemetry-instrumentation' {
  export class AzureFunctionsInstrumentationESM {
    constructor(config: { readonly enabled: boolean });
    setLoggerProvider(provider: import('@opentelemetry/api-logs').LoggerProvider): void;
    registerAzFunc(functions: typeof import('@azure/functions')): void;
  }
}
