/** The Bicep compiler, started once for many questions: its start takes longer than any answer. */

import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';

export interface Diagnostic {
  readonly source: string;
  readonly level: string;
  readonly code: string;
  readonly message: string;
}

export interface Compiled {
  readonly diagnostics: readonly Diagnostic[];
  /** The template as JSON, nested templates included. */
  readonly template: Template;
}

export interface Template {
  readonly parameters?: Readonly<Record<string, TemplateParameter>>;
  readonly outputs?: Readonly<Record<string, { readonly type?: string; readonly value?: unknown }>>;
  readonly resources: Readonly<Record<string, TemplateResource>> | readonly TemplateResource[];
}

export interface TemplateParameter {
  readonly type?: string;
  readonly defaultValue?: unknown;
}

export interface TemplateResource {
  readonly type: string;
  readonly properties?: { readonly template?: Template };
}

/** What would be deployed with some parameters; what only Azure knows stays an expression in brackets. */
export interface Resource {
  readonly id: string;
  readonly type: string;
  readonly name: string;
  // biome-ignore lint/suspicious/noExplicitAny: the shape is the resource's own, and the tests look into many.
  readonly properties?: any;
  // biome-ignore lint/suspicious/noExplicitAny: as above.
  readonly [more: string]: any;
}

export interface Bicep {
  compile(path: string): Promise<Compiled>;
  /** The text of a file as the formatter writes it. */
  format(path: string): Promise<string>;
  /** What `path` would deploy with these values of its parameters. */
  resources(path: string, parameters: Readonly<Record<string, unknown>>): Promise<readonly Resource[]>;
  stop(): Promise<void>;
}

export const SUBSCRIPTION = '00000000-0000-0000-0000-00000000abcd';

interface Reply {
  readonly id: number;
  readonly result?: unknown;
  readonly error?: { readonly message: string };
}

export function startBicep(program: string): Bicep {
  const child = spawn(program, ['jsonrpc', '--stdio'], { stdio: ['pipe', 'pipe', 'inherit'] });
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  const waiting = new Map<number, (reply: Reply) => void>();
  let last = 0;
  readMessages(child.stdout, (reply) => {
    waiting.get(reply.id)?.(reply);
    waiting.delete(reply.id);
  });

  async function call<Result>(method: string, params: object): Promise<Result> {
    const id = ++last;
    const body = JSON.stringify({ jsonrpc: '2.0', id, method, params });
    const answered = new Promise<Reply>((resolve) => waiting.set(id, resolve));
    child.stdin.write(`Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`);
    const gone = ended.then((): never => {
      throw new Error('The Bicep compiler has ended.');
    });
    const { result, error } = await Promise.race([answered, gone]);
    if (error !== undefined) throw new Error(`${method}: ${error.message}`);
    return result as Result;
  }

  return {
    async compile(path) {
      const { diagnostics, contents } = await call<{ diagnostics: Diagnostic[]; contents: string | null }>(
        'bicep/compile',
        { path },
      );
      return { diagnostics, template: JSON.parse(contents ?? '{"resources":[]}') as Template };
    },
    async format(path) {
      return (await call<{ contents: string }>('bicep/format', { path })).contents;
    },
    async resources(path, parameters) {
      const folder = mkdtempSync(join(tmpdir(), 'hubkeeper-bicep-'));
      try {
        const file = join(folder, 'main.bicepparam');
        writeFileSync(file, parametersFile(relative(folder, path), parameters));
        const { snapshot } = await call<{ snapshot: string }>('bicep/getSnapshot', {
          path: file,
          metadata: { subscriptionId: SUBSCRIPTION, location: 'westeurope', deploymentName: 'test' },
        });
        const parsed = JSON.parse(snapshot) as { predictedResources: Resource[]; diagnostics: string[] };
        if (parsed.diagnostics.length > 0) throw new Error(parsed.diagnostics.join('\n'));
        return parsed.predictedResources;
      } finally {
        rmSync(folder, { recursive: true });
      }
    },
    async stop() {
      child.stdin.end();
      child.kill();
      await ended;
    },
  };
}

function parametersFile(using: string, parameters: Readonly<Record<string, unknown>>): string {
  const lines = Object.entries(parameters).map(([name, value]) => `param ${name} = ${literal(value)}`);
  return `using '${using}'\n${lines.join('\n')}\n`;
}

/** A value as Bicep writes it. */
function literal(value: unknown): string {
  if (typeof value === 'string') return `'${value.replaceAll("'", "\\'")}'`;
  if (typeof value !== 'object' || value === null) return String(value);
  return `{\n${Object.entries(value)
    .map(([name, item]) => `  ${name}: ${literal(item)}\n`)
    .join('')}}`;
}

/** Messages with a header each, as JSON-RPC is written to a stream. */
function readMessages(stream: NodeJS.ReadableStream, take: (reply: Reply) => void): void {
  let pending = Buffer.alloc(0);
  stream.on('data', (chunk: Buffer) => {
    pending = Buffer.concat([pending, chunk]);
    for (;;) {
      const end = pending.indexOf('\r\n\r\n');
      if (end < 0) return;
      const length = Number(/Content-Length: (\d+)/i.exec(pending.toString('latin1', 0, end))?.[1]);
      if (pending.length < end + 4 + length) return;
      const body = pending.toString('utf8', end + 4, end + 4 + length);
      pending = pending.subarray(end + 4 + length);
      take(JSON.parse(body) as Reply);
    }
  });
}
