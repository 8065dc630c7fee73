/** Who imports whom among the files of the project, read from the files themselves by a parser. */

import { globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

import { parseAst } from 'vitest/node';

/** One import of a file: static, re-exported, dynamic, by `require`, or in a type. */
export interface Import {
  /** As it is written: a path, or the name of a package; undefined: only known at run time. */
  readonly specifier: string | undefined;
  /** From the root of the project; undefined: no file of the project, as far as is known. */
  readonly target: string | undefined;
  /** Whether nothing of it is there at run time. */
  readonly isType: boolean;
  /** From 1. */
  readonly line: number;
}

/** Path from the root → its imports. */
export type ImportGraph = ReadonlyMap<string, readonly Import[]>;

interface Node {
  readonly type: string;
  readonly start: number;
  readonly [key: string]: unknown;
}

/** The text of every TypeScript file below some folders; paths are from the current folder. */
export function sourcesBelow(folders: readonly string[]): Map<string, string> {
  const paths = folders.flatMap((folder) => globSync(`${folder}/**/*.ts`)).sort();
  return new Map(paths.map((path) => [path, readFileSync(path, 'utf8')]));
}

export function importGraph(sources: ReadonlyMap<string, string>): ImportGraph {
  return new Map(Array.from(sources, ([file, text]) => [file, importsOf(file, text)]));
}

/** Every import of a file. */
export function importsOf(file: string, text: string): Import[] {
  const found: Import[] = [];
  const add = (source: unknown, isType: boolean) => {
    const { value, start } = source as Node;
    const line = text.slice(0, start).split('\n').length;
    const specifier = typeof value === 'string' ? value : undefined;
    const target = specifier?.startsWith('.') ? join(dirname(file), specifier) : undefined;
    found.push({ specifier, target, isType, line });
  };
  visit(parseAst(text, { lang: 'ts' }) as unknown as Node, (node) => {
    const source = sourceOf(node);
    if (source !== undefined) add(source, isTypeOnly(node));
  });
  return found;
}

/** What a node imports, as an expression; undefined: it imports nothing. */
function sourceOf(node: Node): unknown {
  switch (node.type) {
    case 'ImportDeclaration':
    case 'ExportAllDeclaration':
    case 'ImportExpression':
    case 'TSImportType':
      return node['source'];
    case 'ExportNamedDeclaration':
      return node['source'] ?? undefined;
    case 'TSExternalModuleReference':
      return node['expression'];
    case 'CallExpression':
      return isRequire(node['callee'] as Node) ? (node['arguments'] as Node[])[0] : undefined;
    default:
      return undefined;
  }
}

/** `require(…)` and `createRequire(…)(…)`. */
function isRequire(callee: Node): boolean {
  if (callee.type === 'Identifier') return callee['name'] === 'require';
  const inner = callee['callee'] as Node | undefined;
  return callee.type === 'CallExpression' && inner?.['name'] === 'createRequire';
}

function isTypeOnly(node: Node): boolean {
  if (node.type === 'TSImportType' || node['importKind'] === 'type' || node['exportKind'] === 'type') return true;
  const names = (node['specifiers'] ?? []) as Node[];
  return names.length > 0 && names.every((name) => (name['importKind'] ?? name['exportKind']) === 'type');
}

function visit(node: Node, see: (node: Node) => void): void {
  see(node);
  for (const value of Object.values(node)) {
    for (const child of Array.isArray(value) ? value : [value]) {
      if (typeof child === 'object' && child !== null && 'type' in child) visit(child as Node, see);
    }
  }
}

/** Circles: files of which each can be reached from each other, in the order of a walk; none: the graph has none. */
export function circlesOf(graph: ImportGraph): string[][] {
  const circles: string[][] = [];
  const state = new Map<string, 'open' | 'done'>();
  const path: string[] = [];
  const walk = (file: string) => {
    state.set(file, 'open');
    path.push(file);
    for (const { target } of graph.get(file) ?? []) {
      if (target === undefined || state.get(target) === 'done') continue;
      if (state.get(target) === 'open') circles.push([...path.slice(path.indexOf(target)), target]);
      else walk(target);
    }
    path.pop();
    state.set(file, 'done');
  };
  for (const file of graph.keys()) if (!state.has(file)) walk(file);
  return circles;
}
