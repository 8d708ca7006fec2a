import { z } from 'zod';

/** What the objects are and how they are named. */
export const formatSettings = {
  format: z.enum(['jsonl', 'csv']).default('jsonl').meta({
    title: 'Format',
    description: 'jsonl: one JSON text a line, the record as it was received. csv: one line a record.',
  }),
  compression: z.enum(['gzip', 'zstd', 'none']).default('gzip').meta({
    title: 'Compression',
    description:
      'How objects are compressed; it also decides how their names end. zstd needs Node 22.15 or later, and readers that take several frames for one text, as zstd, DuckDB and Arrow do.',
  }),
  path_template: z
    .string()
    .min(1)
    .optional()
    .meta({
      title: 'Path template',
      description:
        'Where objects go below the prefix. The default is {stream}/ingest_date={date}/{stream}-{run_id}-{number}.',
      examples: ['{stream}/ingest_date={date}/{stream}-{run_id}-{number}'],
    }),
  partition_by: z
    .array(z.string().min(1))
    .min(1)
    .optional()
    .meta({
      title: 'Partition by',
      description: 'Record fields whose values become folders, such as project_key=ABC/.',
      examples: [['project_key']],
    }),
};
