import { randomUUID } from 'node:crypto';
import { describe } from '../shared/errors.ts';
import type { Config } from './config.ts';
import { below } from './key.ts';
import type { Store } from './stores/store.ts';

export type Finding = { readonly grade: 'ok' | 'warn' | 'fail'; readonly text: string };

export type DoctorContext = {
  readonly config: Config;
  readonly open: (config: Config) => Promise<Store>;
};

const AT_ONCE = 16;
const SKEW_MS = 60_000;
const LONGEST_SKEW_MS = 15 * 60_000;
const CHECKSUMS = ['when_required', 'default', 'crc64nvme', 'sha256'] as const;

/**
 * Tries out a store with small objects below `_doctor/`, which it removes if it may. `fail` is what target-s3
 * cannot do without; `warn` what some feature needs.
 */
export async function* doctor({ config, open }: DoctorContext): AsyncGenerator<Finding> {
  const store = await open(config);
  const folder = below(config.s3_key_prefix, '_doctor', randomUUID());
  const key = (name: string): string => `${folder}/${name}`;
  const put = (to: Store, name: string): Promise<void> =>
    to.create(key(name), 'text/plain').finish(Buffer.from(`${name}\n`));
  try {
    await put(store, 'first');
    yield { grade: 'ok', text: `write: objects can be created in ${store.name} (s3:PutObject)` };
  } catch (error) {
    yield { grade: 'fail', text: `write: ${describe(error)}` };
    return;
  }
  yield* conditions(store, put);
  if (config.s3_bucket !== undefined) yield* checksums(config, open, put);
  yield clockFinding(store.clockAhead());
  yield* rights(store, folder, key('first'));
}

async function* conditions(
  store: Store,
  put: (store: Store, name: string) => Promise<void>,
): AsyncGenerator<Finding> {
  const again = await Promise.allSettled([put(store, 'first')]);
  const honoured = again[0].status === 'rejected';
  yield honoured
    ? { grade: 'ok', text: 'conditional create: a second object of the same name is refused' }
    : {
        grade: 'warn',
        text: 'conditional create: the store overwrites; names are unique, so this is only a second guard',
      };
  const many = await Promise.allSettled(Array.from({ length: AT_ONCE }, () => put(store, 'race')));
  const won = many.filter(({ status }) => status === 'fulfilled').length;
  yield won === 1
    ? { grade: 'ok', text: `conditional create: of ${AT_ONCE} at the same time one is accepted` }
    : {
        grade: won === 0 ? 'fail' : 'warn',
        text: `conditional create: of ${AT_ONCE} at the same time ${won} are accepted`,
      };
}

async function* checksums(
  config: Config,
  open: (config: Config) => Promise<Store>,
  put: (store: Store, name: string) => Promise<void>,
): AsyncGenerator<Finding> {
  const chosen = config.checksum ?? (config.aws_endpoint_url === undefined ? 'default' : 'when_required');
  for (const checksum of CHECKSUMS) {
    const [tried] = await Promise.allSettled([
      open({ ...config, checksum }).then((store) => put(store, `checksum-${checksum}`)),
    ]);
    const accepted = tried.status === 'fulfilled';
    const used = checksum === chosen ? ' (in use)' : '';
    yield accepted
      ? { grade: 'ok', text: `checksum ${checksum}${used}: accepted` }
      : {
          grade: checksum === chosen ? 'fail' : 'warn',
          text: `checksum ${checksum}${used}: ${describe(tried.reason)}`,
        };
  }
}

function clockFinding(ahead: number | undefined): Finding {
  if (ahead === undefined) return { grade: 'ok', text: 'clock: the store has none of its own' };
  const text = `clock: the store is ${Math.abs(Math.round(ahead / 1000))} s ${ahead < 0 ? 'behind' : 'ahead'}`;
  const apart = Math.abs(ahead);
  if (apart < SKEW_MS) return { grade: 'ok', text };
  return { grade: apart < LONGEST_SKEW_MS ? 'warn' : 'fail', text: `${text}; set this machine's clock` };
}

async function* rights(store: Store, folder: string, key: string): AsyncGenerator<Finding> {
  const tries: readonly (readonly [string, string, () => Promise<unknown>])[] = [
    ['read', 'state, vacuum and load_method overwrite need s3:GetObject', () => store.get(key)],
    [
      'list',
      'state, vacuum and load_method overwrite need s3:ListBucket',
      () => all(store.list(`${folder}/`)),
    ],
    [
      'unfinished uploads',
      'vacuum needs s3:ListBucketMultipartUploads and s3:AbortMultipartUpload',
      () => all(store.leftovers(`${folder}/`)),
    ],
    [
      'remove',
      'vacuum and load_method overwrite need s3:DeleteObject',
      async () => {
        for (const name of ['first', 'race', ...CHECKSUMS.map((checksum) => `checksum-${checksum}`)])
          await store.remove(`${folder}/${name}`);
      },
    ],
  ];
  for (const [name, need, attempt] of tries) {
    const [tried] = await Promise.allSettled([attempt()]);
    yield tried.status === 'fulfilled'
      ? { grade: 'ok', text: `${name}: allowed` }
      : { grade: 'warn', text: `${name}: ${need}: ${describe(tried.reason)}` };
  }
}

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const item of items) found.push(item);
  return found;
}
