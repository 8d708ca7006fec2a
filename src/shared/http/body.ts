import { promisify } from 'node:util';
import { gunzip, type ZlibOptions } from 'node:zlib';
import { HttpFailure, type AnswerHeaders } from './request.ts';

const unzip = promisify<Uint8Array, ZlibOptions, Buffer>(gunzip);

/**
 * A body read to its end, content encoding removed. More than `maxBytes`, packed or not, is an `HttpFailure`
 * and is not read further. The only content coding undone is gzip (RFC 9110 section 8.4.1), as it was asked for.
 */
export async function readBody(
  chunks: AsyncIterable<Uint8Array>,
  headers: AnswerHeaders,
  maxBytes: number,
): Promise<Buffer> {
  const declared = Number(headers.get('content-length') ?? 0) || 0;
  const body = await readAll(chunks, declared, maxBytes);
  const packed = /^(x-)?gzip$/i.test(headers.get('content-encoding') ?? '') && body.length > 0;
  return packed ? unpack(body, maxBytes) : body;
}

async function readAll(
  chunks: AsyncIterable<Uint8Array>,
  declared: number,
  maxBytes: number,
): Promise<Buffer> {
  const read: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of chunks) {
    bytes += chunk.length;
    if (Math.max(declared, bytes) > maxBytes) throw tooLarge(maxBytes);
    read.push(chunk);
  }
  return Buffer.concat(read, bytes);
}

async function unpack(packed: Buffer, maxBytes: number): Promise<Buffer> {
  try {
    return await unzip(packed, { maxOutputLength: maxBytes });
  } catch (cause) {
    const { code = '' } = cause as NodeJS.ErrnoException;
    if (code === 'ERR_BUFFER_TOO_LARGE') throw tooLarge(maxBytes);
    throw new HttpFailure('cut', code, 'the compressed answer is broken or not complete', cause);
  }
}

function tooLarge(maxBytes: number): HttpFailure {
  return new HttpFailure('too-large', 'BODY_TOO_LARGE', `the answer is longer than ${maxBytes} bytes`);
}
