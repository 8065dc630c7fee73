import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { createServer, getCACertificates, setDefaultCACertificates } from 'node:tls';

export interface Certificate {
  readonly certificateFile: string;
  readonly keyFile: string;
  readonly cert: Buffer;
  readonly key: Buffer;
}

/** A certificate for addresses of this machine, which this process trusts from now on. */
export function makeCertificate(folder: string, addresses: readonly string[]): Certificate {
  const [certificateFile, keyFile] = [join(folder, 'certificate.pem'), join(folder, 'key.pem')];
  const names = addresses.map((address) => `IP:${address}`).join(',');
  const made = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'];
  const files = ['-keyout', keyFile, '-out', certificateFile];
  const subject = ['-subj', '/CN=hubkeeper-test', '-addext', `subjectAltName=${names}`];
  execFileSync('openssl', ['req', '-x509', ...made, ...files, ...subject], { stdio: 'pipe' });
  const [cert, key] = [readFileSync(certificateFile), readFileSync(keyFile)];
  setDefaultCACertificates([...getCACertificates(), cert.toString()]);
  return { certificateFile, keyFile, cert, key };
}

export interface Front {
  readonly port: number;
  close(): Promise<void>;
}

/** Takes TLS off what comes to an address, and hands the rest to a port of the loopback address. */
export async function startTlsFront(
  certificate: Certificate,
  listen: { readonly address: string; readonly port: number },
  targetPort: number,
): Promise<Front> {
  const sockets = new Set<Socket>();
  const { cert, key } = certificate;
  const server = createServer({ cert, key }, (socket) => {
    const target = connect(targetPort, '127.0.0.1');
    const join = (one: Socket, other: Socket): void => {
      sockets.add(one);
      one.on('error', () => other.destroy());
      one.on('close', () => {
        sockets.delete(one);
        other.destroy();
      });
      one.pipe(other);
    };
    join(socket, target);
    join(target, socket);
  });
  server.on('tlsClientError', () => undefined);
  server.listen(listen.port, listen.address);
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    close: async () => {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}
