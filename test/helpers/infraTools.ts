/** The programs that the tests of the infrastructure need and npm does not bring: `npm run infra:tools` fetches them. */

import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { projectRoot } from '../../local/stack/projectRoot.ts';

interface Tool {
  readonly variable: string;
  readonly package: string;
  readonly file: string;
}

/** Path of the Bicep compiler, or undefined. */
export const bicepPath: string | undefined = find({
  variable: 'HUBKEEPER_BICEP',
  package: 'Azure.Bicep.CommandLine.linux-x64',
  file: 'tools/bicep',
});

/** Path of PowerShell (a library that `dotnet` runs), or undefined. */
export const powershellPath: string | undefined = find({
  variable: 'HUBKEEPER_PWSH',
  package: 'PowerShell',
  file: 'tools/net10.0/any/unix/pwsh.dll',
});

/** Where a variable of the environment says it is, else the version that is pinned, if it was fetched. */
function find(tool: Tool): string | undefined {
  const given = process.env[tool.variable];
  if (given !== undefined && given !== '') return given;
  const root = projectRoot();
  const project = readFileSync(join(root, 'tools/infra/tools.csproj'), 'utf8');
  const version = new RegExp(`Include="${tool.package}" Version="\\[([^\\]]+)\\]"`).exec(project)?.[1] ?? '';
  const path = join(root, '.tools', tool.package.toLowerCase(), version, tool.file);
  if (existsSync(path)) return path;
  // The gate fetches them: there, tests that are left out are tests that fail.
  if (process.env['HUBKEEPER_INFRA_TOOLS'] === 'required') {
    throw new Error(`${tool.package} is missing: npm run infra:tools fetches it.`);
  }
  process.stderr.write(`Tests are left out: ${tool.package} is missing. npm run infra:tools fetches it.\n`);
  return undefined;
}
