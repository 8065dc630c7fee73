import type { ContainerClient } from '@azure/storage-blob';
import { downloadNote } from './download.ts';

/** How far the scan of one container has come: blobs changed before the mark have been seen. */
export interface ScanMarkStore {
  read(): Promise<Date | undefined>;
  write(mark: Date): Promise<void>;
}

/** `blobscaninfo/{hostId}/{account}/{container}/scanInfo` in `azure-webjobs-hosts` (StorageBlobScanInfoManager.cs). */
export function createScanMarkStore(
  hosts: ContainerClient,
  place: { readonly hostId: string; readonly account: string; readonly container: string },
): ScanMarkStore {
  const blob = hosts.getBlockBlobClient(`blobscaninfo/${place.hostId}/${place.account}/${place.container}/scanInfo`);
  return {
    async read() {
      const { LatestScan } = (await downloadNote(blob)) ?? {};
      const mark = typeof LatestScan === 'string' ? new Date(LatestScan) : undefined;
      return mark === undefined || Number.isNaN(mark.getTime()) ? undefined : mark;
    },
    async write(mark) {
      const text = JSON.stringify({ LatestScan: mark.toISOString() });
      await blob.upload(text, Buffer.byteLength(text));
    },
  };
}
