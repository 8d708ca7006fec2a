/** Which fields a request asks for. */
export type Selection = {
  readonly wants: (field: string) => boolean;
  /** Everything, without exception: a raw issue is then served as it is. */
  readonly all: boolean;
  /** Only `{id}` (a Cloud search that asks for nothing more). */
  readonly idOnly: boolean;
  /** No field at all: only id, self and key. */
  readonly keyOnly: boolean;
  /** Nothing beyond id, key, updated and created, which Cloud serves in large pages. */
  readonly light: boolean;
  readonly signature: string;
};

const NOT_NAVIGABLE = new Set(['comment', 'worklog', 'attachment']);
const NOT_FIELDS = new Set(['id', 'key']);
const LIGHT = new Set(['id', 'key', 'updated', 'created']);

const known = new Map<string, Selection>();

const build = (names: readonly string[], signature: string, cloudSearch: boolean): Selection => {
  const minus = new Set(names.filter((name) => name.startsWith('-')).map((name) => name.slice(1)));
  const plus = new Set(names.filter((name) => !name.startsWith('-')));
  const all = plus.has('*all');
  const navigable = plus.has('*navigable') || (plus.size === 0 && minus.size > 0);
  const wants = (field: string): boolean =>
    !minus.has(field) && (all || plus.has(field) || (navigable && !NOT_NAVIGABLE.has(field)));
  const keyOnly = !all && !navigable && [...plus].every((name) => NOT_FIELDS.has(name));
  return {
    wants,
    all: all && minus.size === 0,
    idOnly: cloudSearch && keyOnly && !plus.has('key'),
    keyOnly,
    light: !all && !navigable && [...plus].every((name) => LIGHT.has(name)),
    signature,
  };
};

/** Reads the names of a `fields` parameter. `fallback` applies when there are none. */
export const selectionOf = (
  fields: readonly string[],
  fallback: '*all' | '*navigable' | 'id',
  cloudSearch = false,
): Selection => {
  const names = fields.flatMap((name) => name.split(',')).flatMap((name) => name.trim() || []);
  if (names.length === 0) names.push(fallback);
  const signature = `${cloudSearch ? 'cloud ' : ''}${names.join(',')}`;
  let selection = known.get(signature);
  if (selection === undefined) {
    selection = build(names, signature, cloudSearch);
    if (known.size < 1000) known.set(signature, selection);
  }
  return selection;
};
