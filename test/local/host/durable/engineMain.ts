/**
 * The durable engine alone on an HTTP port, with an app: what the tests of the engine run in a child process. Takes one
 * argument, the JSON text of EngineMainOptions; writes one line of JSON when it is ready.
 */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { createDurableEngine } from '../../../../local/host/durable/index.ts';
import type { TimerLimits } from '../../../../local/host/durable/interpreter.ts';
import { createUnkindness } from '../../../../local/host/unkindness.ts';
import { loadApp } from '../../../../local/host/worker.ts';

export interface EngineMainOptions {
  readonly appDirectory: string;
  readonly databasePath: string;
  readonly unkindSeed?: number;
  readonly timerLimits?: TimerLimits;
  readonly hostJson?: Readonly<Record<string, unknown>>;
}

const options = JSON.parse(process.argv[2] ?? '') as EngineMainOptions;
const log = (level: string, message: string) => process.stderr.write(`${level} ${message}\n`);

const app = await loadApp(options.appDirectory, {
  log: (level, source, message) => log(level, `[${source}] ${message}`),
});
let engine: ReturnType<typeof createDurableEngine>;
const server = createServer((request, response) => {
  const answer = async () => {
    const body = await buffer(request);
    const result = await engine.handleHttp({
      method: request.method ?? 'GET',
      url: request.url ?? '/',
      headers: Object.fromEntries(Object.entries(request.headers).map(([name, value]) => [name, String(value)])),
      body,
    });
    response.writeHead(result?.status ?? 404, result?.headers);
    response.end(result?.body);
  };
  answer().catch((error: unknown) => {
    response.writeHead(500);
    response.end(String(error));
  });
});
await new Promise<void>((resolve) => {
  server.listen(0, '127.0.0.1', resolve);
});

try {
  engine = createDurableEngine({
    databasePath: options.databasePath,
    taskHub: 'TestHub',
    functions: app.functions,
    invoke: app.invoke,
    baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    hostJson: options.hostJson ?? {},
    log,
    ...(options.unkindSeed !== undefined && { unkind: createUnkindness(options.unkindSeed) }),
    ...(options.timerLimits && { timerLimits: options.timerLimits }),
  });
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : error}\n`);
  process.exit(1);
}
process.on('SIGTERM', () => {
  server.close();
  server.closeAllConnections();
  engine.stop().then(
    () => process.exit(0),
    () => process.exit(1),
  );
});
engine.start();
process.stdout.write(`${engine.clientBinding()}\n`);
