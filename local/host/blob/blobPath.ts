/** The `path` of a blob trigger, e.g. `uploads/{folder}/{name}.json`. */
export interface BlobPath {
  readonly container: string;
  /** Values of the path's tokens; undefined when the blob is none of this trigger's. */
  match(container: string, blobName: string): Readonly<Record<string, string>> | undefined;
}

const containerName = /^(?:\$root|\$web|[a-z0-9](?:-?[a-z0-9]){2,62})$/;

/**
 * Reads a trigger path: the container, then a pattern for blob names, in which each `{token}` takes as much as it can,
 * slashes too. A container alone matches all of its blobs (azure-sdk-for-net, Storage.Blobs, BlobPathSource.cs).
 *
 * @throws Error saying what is wrong with the path.
 */
export function parseBlobPath(path: string): BlobPath {
  const slash = path.indexOf('/');
  const container = slash === -1 ? path : path.slice(0, slash);
  if (!containerName.test(container.toLowerCase()) || container.length > 63) {
    throw new Error(
      `path "${path}": "${container}" is not a container name (tokens may stand only in the blob's part)`,
    );
  }
  const blobPattern = slash === -1 ? '' : path.slice(slash + 1);
  const tokens: string[] = [];
  let pattern = '';
  for (const [index, part] of blobPattern.split(/\{([^{}]*)\}/).entries()) {
    if (index % 2 === 0) {
      if (/[{}]/.test(part)) {
        throw new Error(`path "${path}" has unbalanced braces`);
      }
      pattern += part.replaceAll(/[.*+?^$()|[\]\\]/g, '\\$&');
    } else {
      if (!/^\w+$/.test(part) || tokens.includes(part)) {
        throw new Error(`path "${path}": "{${part}}" is not usable as a token`);
      }
      tokens.push(part);
      pattern += '(.*)';
    }
  }
  const regex = new RegExp(blobPattern === '' ? '' : `^${pattern}$`, 's');
  return {
    container: container.toLowerCase(),
    match(otherContainer, blobName) {
      if (otherContainer.toLowerCase() !== container.toLowerCase()) {
        return undefined;
      }
      const match = regex.exec(blobName);
      return match === null
        ? undefined
        : Object.fromEntries(tokens.map((token, index) => [token, match[index + 1] ?? '']));
    },
  };
}
