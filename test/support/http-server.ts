import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { connect, type AddressInfo, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export type Listening = {
  readonly url: string;
  readonly port: number;
  readonly seen: IncomingMessage[];
  readonly [Symbol.asyncDispose]: () => Promise<void>;
};

async function listening(server: Server, scheme: string, seen: IncomingMessage[]): Promise<Listening> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => sockets.add(socket));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const close = async (): Promise<void> => {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  };
  return { url: `${scheme}://127.0.0.1:${port}`, port, seen, [Symbol.asyncDispose]: close };
}

/** A plain HTTP server on a free port. */
export function serve(listener: RequestListener): Promise<Listening> {
  const seen: IncomingMessage[] = [];
  const server = createServer((request, response) => {
    seen.push(request);
    listener(request, response);
  });
  return listening(server, 'http', seen);
}

export type Certificate = { readonly key: string; readonly cert: string };

/** An HTTPS server on a free port. */
export function serveTls(certificate: Certificate, listener: RequestListener): Promise<Listening> {
  const seen: IncomingMessage[] = [];
  const server = createTlsServer({ ...certificate }, (request, response) => {
    seen.push(request);
    listener(request, response);
  });
  return listening(server, 'https', seen);
}

/** A proxy that opens tunnels; `seen` has the CONNECT requests, which it refuses without the right password. */
export function serveProxy(authorization?: string): Promise<Listening> {
  const seen: IncomingMessage[] = [];
  const server = createServer((_, response) => response.writeHead(405).end());
  server.on('connect', (request: IncomingMessage, client: Socket) => {
    seen.push(request);
    if (authorization !== undefined && request.headers['proxy-authorization'] !== authorization) {
      client.end('HTTP/1.1 407 Proxy Authentication Required\r\n\r\n');
      return;
    }
    const [host = '', port] = (request.url ?? '').split(':');
    const upstream = connect(Number(port), host, () => {
      client.write('HTTP/1.1 200 Connection Established\r\n\r\n');
      upstream.pipe(client).pipe(upstream);
    });
    upstream.on('error', () => client.destroy());
    client.on('error', () => upstream.destroy());
    client.on('close', () => upstream.destroy());
  });
  return listening(server, 'http', seen);
}

/** A certificate for 127.0.0.1 that is its own authority; undefined where there is no `openssl`. */
export function selfSigned(): Certificate | undefined {
  const folder = mkdtempSync(join(tmpdir(), 'certificate-'));
  const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
  try {
    const names = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=IP:127.0.0.1,DNS:localhost'];
    const args = [
      'req',
      '-x509',
      '-newkey',
      'rsa:2048',
      '-nodes',
      '-days',
      '2',
      '-keyout',
      key,
      '-out',
      cert,
    ];
    execFileSync('openssl', [...args, ...names], { stdio: 'ignore' });
    return { key: readFileSync(key, 'utf8'), cert: readFileSync(cert, 'utf8') };
  } catch {
    return undefined;
  } finally {
    rmSync(folder, { recursive: true });
  }
}
