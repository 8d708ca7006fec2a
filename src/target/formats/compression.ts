import { promisify } from 'node:util';
import * as zlib from 'node:zlib';
import { constants, crc32, deflateRaw, type InputType, type ZlibOptions } from 'node:zlib';

/** Compresses one object block by block; blocks may be under way at the same time. */
export type Compressor = {
  /** What the object gets for this block; the results belong together in the order of the calls. */
  readonly block: (plain: Uint8Array) => Promise<Uint8Array>;
  /** What the object ends with, after all blocks. */
  readonly end: () => Uint8Array;
};

export type Compression = {
  /** Such as `.gz`; empty for none. */
  readonly extension: string;
  /** Instead of the content type of the format. */
  readonly contentType?: string;
  readonly begin: () => Compressor;
};

export const none: Compression = {
  extension: '',
  begin: () => ({ block: (plain) => Promise.resolve(plain), end: () => Buffer.alloc(0) }),
};

type Zstd = (plain: Uint8Array, done: (error: Error | null, result: Buffer) => void) => void;
const zstdCompress = (zlib as { readonly zstdCompress?: Zstd }).zstdCompress;

/** False where this Node has no zstd (before 22.15 and 23.8). */
export const hasZstd = zstdCompress !== undefined;

/** One frame a block, which RFC 8878 takes for one text. (Node itself unpacks only the first.) */
export const zstd: Compression = {
  extension: '.zst',
  contentType: 'application/zstd',
  begin: () => ({
    block: promisify((plain: Uint8Array, done: (error: Error | null, result: Buffer) => void) =>
      zstdCompress!(plain, done),
    ),
    end: () => Buffer.alloc(0),
  }),
};

const deflate = promisify<InputType, ZlibOptions, Buffer>(deflateRaw);

/** RFC 1952: no name, no time, unknown system. */
const GZIP_HEADER = Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff]);
/** An empty last block of deflate. */
const DEFLATE_END = Buffer.from([0x03, 0x00]);

/**
 * One gzip member for the whole object. Each block is deflated on its own on the thread pool and flushed to a
 * byte boundary, which makes the results one deflate stream when put together; the checksum runs beside it.
 */
export const gzip: Compression = {
  extension: '.gz',
  contentType: 'application/gzip',
  begin: () => {
    let begun = false;
    let checksum = 0;
    let length = 0;
    return {
      block: async (plain) => {
        const first = !begun;
        begun = true;
        checksum = crc32(plain, checksum);
        length += plain.length;
        const deflated = await deflate(plain, {
          level: constants.Z_BEST_SPEED,
          finishFlush: constants.Z_SYNC_FLUSH,
          chunkSize: Math.max(4096, plain.length >> 2), // few trips to the thread pool
        });
        // A copy: the result is a slice of a chunk that may be much larger.
        return Buffer.concat(first ? [GZIP_HEADER, deflated] : [deflated]);
      },
      end: () => {
        const trailer = Buffer.alloc(8);
        trailer.writeUInt32LE(checksum, 0);
        trailer.writeUInt32LE(length % 2 ** 32, 4);
        return Buffer.concat(begun ? [DEFLATE_END, trailer] : [GZIP_HEADER, DEFLATE_END, trailer]);
      },
    };
  },
};
