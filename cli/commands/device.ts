import type { DeviceView } from '../../src/lib/mirror/query/deviceView.ts';
import { readApp } from '../app/apiCall.ts';
import { connectOrStart } from '../app/connection.ts';
import { withInterrupt } from '../app/interrupt.ts';
import { EXIT, type ExitCode } from '../exitCode.ts';
import { renderDevice } from '../render/deviceText.ts';
import type { Output } from '../render/output.ts';

export interface DeviceFlags {
  readonly hub?: string;
  readonly data?: string;
}

/** `device ID`: all that the mirror knows of one device. */
export function device(id: string, { hub, data }: DeviceFlags, output: Output): Promise<ExitCode> {
  return withInterrupt(async (signal) => {
    const connection = await connectOrStart({ data }, output, signal);
    try {
      const params = new URLSearchParams({ id, ...(hub === undefined ? {} : { hub }) });
      // In the query an id arrives as it is, whichever characters it has; a path does not carry each of them in Azure.
      const question = { path: `device?${params}`, doing: 'a look at a device', signal };
      const view = await readApp<DeviceView>(connection, question);
      output.printJson(view);
      if (view === undefined) return EXIT.failed;
      const look = { now: new Date(), paint: output.style, columns: output.columns, command: connection.command };
      for (const line of renderDevice(view, look)) output.print(line);
      return EXIT.ok;
    } finally {
      await connection.close();
    }
  });
}
