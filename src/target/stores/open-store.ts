import type { Clock } from '../../shared/clock.ts';
import { systemError } from '../../shared/errors.ts';
import type { Config } from '../config.ts';
import { localStore } from './local.ts';
import type { Store } from './store.ts';

/** The store a configuration names; `warn` hears of what it cannot do. The S3 client is loaded only when it is needed. */
export async function openStore(
  config: Config,
  env: Readonly<Record<string, string | undefined>>,
  clock: Clock,
  warn: (message: string) => void = () => undefined,
): Promise<Store> {
  if (config.local_path !== undefined) return localStore(config.local_path);
  if (config.s3_bucket === undefined) throw systemError('a configuration without a store');
  const [{ s3Store }, { toS3Settings }] = await Promise.all([import('./s3.ts'), import('./s3-settings.ts')]);
  const settings = toS3Settings(config, config.s3_bucket, env);
  if (config.role_arn === undefined) return s3Store(settings, clock, warn);
  const { roleCredentials } = await import('./s3-role.ts');
  const client = { ...settings.client, credentials: roleCredentials(config, config.role_arn, env) };
  return s3Store({ ...settings, client }, clock, warn);
}
