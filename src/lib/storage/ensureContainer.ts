import type { ContainerClient } from '@azure/storage-blob';

/**
 * Makes a container that is not there. One that is there is looked at only: asking to make it would be answered with a
 * 409, which fills logs with warnings, and needs a right that an identity need not have.
 */
export async function ensureContainer(container: ContainerClient): Promise<void> {
  if (await container.exists()) return;
  // Somebody else may make it at the same moment.
  await container.createIfNotExists();
}
