/** What GitHub, azd and Dependabot read: it parses, and what it calls is there. */

import { existsSync, globSync, readFileSync, statSync } from 'node:fs';

import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';

import { projectRoot } from '../../local/stack/projectRoot.ts';

process.chdir(projectRoot());

const WORKFLOWS = globSync('.github/workflows/*.yml').toSorted();
const read = (file: string) => readFileSync(file, 'utf8');

interface Workflow {
  readonly permissions: Readonly<Record<string, string>>;
  readonly jobs: Readonly<Record<string, { readonly steps: readonly Step[]; readonly environment?: string }>>;
}

interface Step {
  readonly uses?: string;
  readonly run?: string;
}

interface Hook {
  readonly shell: string;
  readonly run: string;
}

interface AzureYaml {
  readonly services: Readonly<Record<string, { readonly dist: string; readonly hooks: Hooks }>>;
  readonly hooks: Hooks;
}

type Hooks = Readonly<Record<string, { readonly posix: Hook; readonly windows: Hook }>>;

const workflow = (file: string) => parse(read(file)) as Workflow;
const stepsOf = (file: string) => Object.values(workflow(file).jobs).flatMap(({ steps }) => steps);

/** What a command line starts: npm scripts that do not exist, files that are not there. */
function missingIn(command: string): string[] {
  const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };
  const named = Array.from(command.matchAll(/npm run (?:-s )?([\w:-]+)/g), ([, name = '']) => name);
  const files = command.match(/(?:\.ci|infra|tools)\/[\w./-]+/g) ?? [];
  return [
    ...named.filter((name) => scripts[name] === undefined).map((name) => `npm run ${name}`),
    ...files.filter((file) => !existsSync(file)),
  ];
}

describe('the workflows', () => {
  it('are there for check and deployment, and call what there is', () => {
    expect(WORKFLOWS).toEqual(['.github/workflows/check.yml', '.github/workflows/deploy.yml']);
    const commands = WORKFLOWS.flatMap((file) => stepsOf(file).flatMap(({ run }) => run ?? []));
    expect(commands).toContain('bash .ci/run');
    expect(commands.flatMap(missingIn)).toEqual([]);
  });

  it.each(WORKFLOWS)('%s uses no stored secret, actions by version, and no more rights than it needs', (file) => {
    expect(read(file)).not.toMatch(/secrets\./);
    for (const { uses } of stepsOf(file)) if (uses !== undefined) expect(uses).toMatch(/^[\w-]+\/[\w-]+@v\d+$/);
    const { permissions } = workflow(file);
    expect(permissions).toEqual({ contents: 'read', ...(/deploy/.test(file) ? { 'id-token': 'write' } : {}) });
  });

  it('deploy with an identity, from an environment that people can protect', () => {
    const file = '.github/workflows/deploy.yml';
    expect(workflow(file).jobs['deploy']?.environment).toBe('production');
    expect(read(file)).toMatch(/azd auth login .*--federated-credential-provider github/);
    expect(read(file)).not.toMatch(/client-secret|creds:/);
  });

  it('take their values from variables that the page on Azure names', () => {
    const page = read('docs/azure.md');
    const named = Array.from(read('.github/workflows/deploy.yml').matchAll(/vars\.(\w+)/g), ([, name = '']) => name);
    expect(named.length).toBeGreaterThan(5);
    expect(named.filter((name) => !page.includes(`\`${name}\``))).toEqual([]);
  });
});

describe('azure.yaml', () => {
  const { services, hooks } = parse(read('azure.yaml')) as AzureYaml;
  const all = [...Object.entries(services['app']?.hooks ?? {}), ...Object.entries(hooks)];

  it('calls scripts that there are, in both of their forms', () => {
    expect(all.map(([name]) => name)).toEqual(['prepackage', 'preprovision', 'postprovision', 'postdeploy', 'predown']);
    for (const [name, { posix, windows }] of all) {
      expect([name, posix.shell, windows.shell]).toEqual([name, 'sh', 'pwsh']);
      expect([...missingIn(posix.run), ...missingIn(windows.run)]).toEqual([]);
      expect(windows.run.replace('.ps1', '.sh').replace(/^\.\//, '')).toBe(posix.run.replace(/^sh /, ''));
    }
  });

  it('has hooks for sh that can be run', () => {
    const scripts = globSync('infra/hooks/*.sh').filter((file) => !file.endsWith('/common.sh'));
    expect(scripts.length).toBe(3);
    expect(scripts.filter((file) => (statSync(file).mode & 0o111) === 0)).toEqual([]);
    const ps1 = scripts.map((file) => file.replace('.sh', '.ps1'));
    expect(ps1.filter((file) => !existsSync(file))).toEqual([]);
  });

  it('deploys what npm run package lays down', () => {
    expect(read('tools/package.ts')).toContain(`'${services['app']?.dist}'`);
  });
});

describe('what else GitHub reads', () => {
  it('parses, and names folders that there are', () => {
    const { updates } = parse(read('.github/dependabot.yml')) as {
      updates: { 'package-ecosystem': string; directory: string }[];
    };
    expect(updates.map((update) => update['package-ecosystem'])).toEqual(['npm', 'nuget', 'github-actions', 'docker']);
    expect(updates.filter(({ directory }) => !existsSync(`.${directory}`))).toEqual([]);
    for (const file of globSync('.github/ISSUE_TEMPLATE/*.yml')) expect(parse(read(file))).toBeTypeOf('object');
    expect(missingIn(read('.devcontainer/devcontainer.json'))).toEqual([]);
  });

  it('has the files that people look for in a repository', () => {
    const wanted = [
      'LICENSE',
      'README.md',
      'CONTRIBUTING.md',
      'SECURITY.md',
      'CHANGELOG.md',
      '.devcontainer/Dockerfile',
    ];
    expect(wanted.filter((file) => !existsSync(file))).toEqual([]);
  });
});
