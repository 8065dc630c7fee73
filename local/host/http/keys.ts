import { randomBytes, timingSafeEqual } from 'node:crypto';
import { readFile, rename, writeFile } from 'node:fs/promises';

/** The keys of one app, as the host's key management names them. */
export interface HostKeys {
  readonly masterKey: string;
  /** Host keys: open every function of level `function`. */
  readonly functionKeys: Readonly<Record<string, string>>;
  /** Keys of the extensions' webhooks. */
  readonly systemKeys: Readonly<Record<SystemKeyName, string>>;
  /** Function keys, by function name, then key name. */
  readonly functions: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

export type SystemKeyName = 'durabletask_extension' | 'blobs_extension';

export type AuthLevel = 'anonymous' | 'function' | 'admin';

const newKey = () => randomBytes(40).toString('base64url');

/**
 * Reads the keys file, making whatever it lacks; a function that is new to it gets a key named `default`.
 *
 * @throws Error when the file is there and is not what this host wrote.
 */
export async function loadKeys(path: string, functionNames: readonly string[]): Promise<HostKeys> {
  let stored: Partial<HostKeys> = {};
  try {
    stored = JSON.parse(await readFile(path, 'utf8')) as Partial<HostKeys>;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') {
      throw new Error(`Cannot read the host's keys in ${path}; fix the file or delete it to get new keys.`);
    }
  }
  const keys: HostKeys = {
    masterKey: stored.masterKey ?? newKey(),
    functionKeys: stored.functionKeys ?? { default: newKey() },
    systemKeys: {
      durabletask_extension: stored.systemKeys?.durabletask_extension ?? newKey(),
      blobs_extension: stored.systemKeys?.blobs_extension ?? newKey(),
    },
    functions: {
      ...stored.functions,
      ...Object.fromEntries(functionNames.map((name) => [name, stored.functions?.[name] ?? { default: newKey() }])),
    },
  };
  const text = `${JSON.stringify(keys, null, 2)}\n`;
  await writeFile(`${path}.new`, text, { mode: 0o600 });
  await rename(`${path}.new`, path);
  return keys;
}

function sameKey(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)];
  return left.length === right.length && timingSafeEqual(left, right);
}

/** The key that a request carries: header `x-functions-key` before query `code`. */
export function presentedKey(headers: Readonly<Record<string, string>>, query: URLSearchParams): string | undefined {
  return headers['x-functions-key'] ?? query.get('code') ?? undefined;
}

/** Decides who may call what. Without keys every caller is an administrator, as under Core Tools. */
export interface Authorization {
  mayCall(functionName: string, level: AuthLevel, key: string | undefined): boolean;
  mayUseExtension(name: SystemKeyName, key: string | undefined): boolean;
}

export function createAuthorization(keys: HostKeys | undefined): Authorization {
  if (keys === undefined) {
    return { mayCall: () => true, mayUseExtension: () => true };
  }
  const isMaster = (key: string) => sameKey(key, keys.masterKey);
  return {
    mayCall(functionName, level, key) {
      if (level === 'anonymous') {
        return true;
      }
      if (key === undefined) {
        return false;
      }
      const accepted =
        level === 'admin'
          ? []
          : [...Object.values(keys.functionKeys), ...Object.values(keys.functions[functionName] ?? {})];
      return isMaster(key) || accepted.some((candidate) => sameKey(key, candidate));
    },
    mayUseExtension: (name, key) => key !== undefined && (isMaster(key) || sameKey(key, keys.systemKeys[name])),
  };
}
