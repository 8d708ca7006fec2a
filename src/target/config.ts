import { z } from 'zod';
import { formatSettings } from './config-format.ts';
import { hasZstd } from './formats/compression.ts';
import { templateProblem } from './path.ts';
import { storeSettings } from './config-store.ts';

const MIB = 1024 * 1024;

const batchSettings = {
  batch_size_rows: z
    .int()
    .min(1)
    .default(100_000)
    .meta({ title: 'Rows per object', description: 'An object is closed when it has this many rows.' }),
  batch_size_bytes: z
    .int()
    .min(1)
    .max(65_536 * MIB)
    .default(128 * MIB)
    .meta({
      title: 'Bytes per object',
      description:
        'An object is closed when it has about this many bytes as stored, that is, compressed. The default suits readers that cannot split a gzip file.',
    }),
  batch_wait_seconds: z.number().min(0.01).max(86_400).default(60).meta({
    title: 'Longest wait in seconds',
    description:
      'Data and STATE are stored no later than about this long after they arrived, also while no more input comes. A shorter wait makes smaller objects.',
  }),
  max_memory_bytes: z
    .int()
    .min(16 * MIB)
    .default(256 * MIB)
    .meta({
      title: 'Memory for open objects in bytes',
      description:
        'When the rows held for all streams together need more, the largest objects are closed early and input waits. The program itself needs 100 to 150 MB beside this.',
    }),
  max_open_objects: z.int().min(1).default(20_000).meta({
    title: 'Most open objects',
    description: 'When more streams and partitions have rows in hand, the first opened are closed early.',
  }),
  max_line_bytes: z
    .int()
    .min(1024)
    .max(512 * MIB)
    .default(64 * MIB)
    .meta({
      title: 'Longest input line in bytes',
      description: 'A longer line ends the run.',
    }),
};

const recordSettings = {
  add_record_metadata: z.boolean().default(false).meta({
    title: 'Add metadata',
    description:
      'Adds _sdc_extracted_at, _sdc_received_at, _sdc_batched_at, _sdc_deleted_at, _sdc_sequence and _sdc_table_version to every row.',
  }),
  validate_records: z.enum(['fail', 'quarantine', 'off']).default('fail').meta({
    title: 'Check records',
    description:
      'What a record that does not fit the schema or the key properties of its stream does: fail ends the run; quarantine puts the line and what is wrong with it below _rejected/; off does not look.',
  }),
  max_rejected_rows: z.int().min(0).default(1000).meta({
    title: 'Most rejected rows',
    description: 'With validate_records quarantine, more rejected rows than this end the run.',
  }),
  load_method: z.enum(['append', 'overwrite']).default('append').meta({
    title: 'Load method',
    description:
      'append keeps what earlier runs wrote. overwrite makes one commit at the end of the run, which replaces what earlier runs committed of the same streams, and then removes those objects; a run that fails or is stopped replaces nothing.',
  }),
};

/** All settings of target-s3. What only works together is checked here, so that a parsed Config is consistent. */
export const Config = z
  .strictObject({ ...storeSettings, ...formatSettings, ...batchSettings, ...recordSettings })
  .superRefine((config, context) => {
    const problem = (path: string, message: string): void =>
      context.addIssue({ code: 'custom', path: [path], message });
    if ((config.s3_bucket === undefined) === (config.local_path === undefined)) {
      const both = config.s3_bucket !== undefined;
      problem(
        's3_bucket',
        both ? 'give either s3_bucket or local_path, not both' : 'missing; give s3_bucket or local_path',
      );
    }
    if ((config.aws_access_key_id === undefined) !== (config.aws_secret_access_key === undefined))
      problem('aws_access_key_id', 'give aws_access_key_id and aws_secret_access_key together');
    if (config.aws_session_token !== undefined && config.aws_access_key_id === undefined)
      problem('aws_session_token', 'needs aws_access_key_id and aws_secret_access_key');
    if (config.external_id !== undefined && config.role_arn === undefined)
      problem('external_id', 'needs role_arn');
    if (config.kms_key_id !== undefined && !config.sse?.startsWith('aws:kms'))
      problem('kms_key_id', 'needs sse to be aws:kms or aws:kms:dsse');
    const place =
      config.path_template === undefined
        ? undefined
        : templateProblem(config.path_template, config.partition_by ?? []);
    if (place !== undefined) problem('path_template', place);
    if (config.compression === 'zstd' && !hasZstd)
      problem(
        'compression',
        'zstd needs Node 22.15 or later; choose gzip, or run target-s3 with a newer Node',
      );
  });
export type Config = z.output<typeof Config>;
