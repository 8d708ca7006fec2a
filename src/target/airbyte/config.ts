import { z } from 'zod';
import { configError } from '../../shared/errors.ts';
import { loadConfig, type ConfigSources } from '../../shared/config.ts';
import { Config } from '../config.ts';

const { add_record_metadata: metadata, validate_records: validate } = Config.shape;

/** The settings of target-s3 with the defaults that suit Airbyte, whose sources keep less to their schemas. */
export const DestinationConfig = Config.safeExtend({
  add_record_metadata: z
    .boolean()
    .default(true)
    .meta({
      ...metadata.meta(),
      default: true,
      description:
        'Adds _airbyte_raw_id, _airbyte_extracted_at, _airbyte_generation_id and _airbyte_meta to every row.',
    }),
  validate_records: validate
    .unwrap()
    .default('off')
    .meta({ ...validate.meta(), default: 'off' }),
});

/** Reads the configuration of destination-s3; see `loadConfig`. */
export async function loadDestinationConfig(sources: ConfigSources): Promise<Config> {
  const config = await loadConfig(DestinationConfig, sources);
  if (config.load_method !== 'append')
    throw configError(
      `${sources.paths.join(', ')}: load_method: leave it out; Airbyte sets the sync mode of each stream`,
      { code: 'CONFIG' },
    );
  return config;
}
