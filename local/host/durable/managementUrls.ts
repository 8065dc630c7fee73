/** Path of the management API that is open to clients, below the host's base URL. */
export const webhookPath = '/runtime/webhooks/durabletask';

/** Path of the same API for the durable client inside the app: no key, this machine only. */
export const rpcPath = '/durabletask';

export interface UrlOptions {
  readonly baseUrl: string;
  readonly taskHub: string;
  readonly systemKey: string | undefined;
}

const connectionName = 'Storage';
const idPlaceholder = 'INSTANCEID';

function queryText({ taskHub, systemKey }: UrlOptions): string {
  const key = systemKey === undefined ? '' : `&code=${encodeURIComponent(systemKey)}`;
  return `taskHub=${encodeURIComponent(taskHub)}&connection=${connectionName}${key}`;
}

/** The URLs that manage one instance (HttpApiHandler.cs, HttpManagementPayload). */
export function managementUrls(options: UrlOptions, instanceId: string): Record<string, string> {
  const instance = `${options.baseUrl}${webhookPath}/instances/${instanceId}`;
  const query = queryText(options);
  return {
    id: instanceId,
    statusQueryGetUri: `${instance}?${query}`,
    sendEventPostUri: `${instance}/raiseEvent/{eventName}?${query}`,
    terminatePostUri: `${instance}/terminate?reason={text}&${query}`,
    rewindPostUri: `${instance}/rewind?reason={text}&${query}`,
    purgeHistoryDeleteUri: `${instance}?${query}`,
    restartPostUri: `${instance}/restart?${query}`,
    suspendPostUri: `${instance}/suspend?reason={text}&${query}`,
    resumePostUri: `${instance}/resume?reason={text}&${query}`,
  };
}

/** JSON text of the `durableClient` input (Bindings/BindingHelper.cs). */
export function clientBindingJson(options: UrlOptions): string {
  const webhook = `${options.baseUrl}${webhookPath}`;
  const code = options.systemKey === undefined ? '' : `code=${encodeURIComponent(options.systemKey)}`;
  const orchestrator = `${webhook}/orchestrators/{functionName}[/{instanceId}]`;
  return JSON.stringify({
    taskHubName: options.taskHub,
    connectionName,
    creationUrls: {
      createNewInstancePostUri: `${orchestrator}?${code}`,
      createAndWaitOnNewInstancePostUri: `${orchestrator}?timeout={timeoutInSeconds}&pollingInterval={intervalInSeconds}&${code}`,
    },
    managementUrls: managementUrls(options, idPlaceholder),
    baseUrl: webhook,
    requiredQueryStringParameters: code,
    // The client resolves relative paths against it, so the last slash counts.
    rpcBaseUrl: `${options.baseUrl}${rpcPath}/`,
    httpBaseUrl: webhook,
  });
}
