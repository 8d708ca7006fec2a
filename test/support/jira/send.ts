import type { IncomingMessage, ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import type { Answer, Fault } from './http.ts';

/** The answer that a fault puts in place of Jira's, if it is of that kind. */
export const replacement = (fault: Fault | undefined): Answer | undefined => {
  if (fault === undefined) return undefined;
  if ('redirect' in fault) return { status: 302, headers: { Location: fault.redirect }, body: '' };
  if (!('status' in fault)) return undefined;
  const text = typeof fault.body === 'object' ? JSON.stringify(fault.body) : (fault.body ?? '');
  const type = text.trimStart().startsWith('<')
    ? 'text/html;charset=UTF-8'
    : 'application/json;charset=UTF-8';
  return { status: fault.status, headers: { 'Content-Type': type, ...fault.headers }, body: text };
};

const trickle = async (response: ServerResponse, body: Buffer, bytes: number, ms: number): Promise<void> => {
  for (let at = 0; at < body.length && !response.destroyed; at += bytes) {
    response.write(body.subarray(at, at + bytes));
    await sleep(ms);
  }
  response.end();
};

/** Sends an answer, or what a fault leaves of it. */
export const send = async (
  request: IncomingMessage,
  response: ServerResponse,
  answer: Answer,
  fault: Fault | undefined,
  gzip: boolean,
): Promise<void> => {
  if (fault !== undefined && 'drop' in fault) {
    request.socket.destroy();
    return;
  }
  if (fault !== undefined && 'hang' in fault) return;
  if (fault !== undefined && 'delay' in fault) await sleep(fault.delay);
  const headers: Record<string, string | readonly string[] | number> = { ...answer.headers };
  let { body } = answer;
  if (fault !== undefined && 'truncate' in fault) {
    const bytes = Buffer.from(body);
    body = bytes.subarray(0, Math.floor(bytes.length * fault.truncate));
  }
  if (gzip && request.headers['accept-encoding']?.includes('gzip') === true && body.length > 0) {
    body = gzipSync(body, { level: 1 });
    headers['Content-Encoding'] = 'gzip';
  }
  headers['Content-Length'] = Buffer.byteLength(body);
  response.writeHead(answer.status, headers as Record<string, string>);
  if (fault !== undefined && 'cut' in fault) {
    const bytes = Buffer.from(body);
    response.write(bytes.subarray(0, Math.floor(bytes.length * fault.cut)), () => request.socket.destroy());
    return;
  }
  if (fault !== undefined && 'slow' in fault)
    return trickle(response, Buffer.from(body), fault.slow.bytes, fault.slow.ms);
  response.end(request.method === 'HEAD' ? '' : body);
};
