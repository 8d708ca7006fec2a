import { isObject, type JsonObject, type JsonValue } from '../../src/shared/json/value.ts';

/**
 * The rules of Airbyte's connector-acceptance-test and CDK standard tests for a specification, and what its form
 * needs: a title, a description and a place for every setting.
 */
export function specProblems(connectionSpecification: JsonObject): string[] {
  const groups = connectionSpecification['groups'];
  const known = Array.isArray(groups) ? groups.map((group) => (group as JsonObject)['id']) : undefined;
  return [
    ...(connectionSpecification['type'] === 'object' ? [] : ['(root): is no object']),
    ...problemsOf(connectionSpecification, '(root)'),
    ...Object.entries(propertiesOf(connectionSpecification)).flatMap(([name, property]) =>
      known === undefined || known.includes(property['group'] ?? null) ? [] : [`${name}: is in no group`],
    ),
  ];
}

/** Names that hold secrets, by the acceptance tests. */
const SECRET_NAMES = new Set(
  [
    'client_token access_token api_token token secret client_secret password key service_account_info',
    'service_account tenant_id certificate jwt credentials app_id appid refresh_token private_key',
    'access_token_secret session_handle aws_secret_access_key aws_session_token secret_access_key',
  ].flatMap((names) => names.split(' ')),
);
const FORBIDDEN =
  '$ref not anyOf allOf if then else patternProperties prefixItems dependentSchemas dependentRequired additionalProperties'.split(
    ' ',
  );
const ITEM_TYPES: ReadonlySet<unknown> = new Set(['object', 'string', 'number', 'integer']);

function problemsOf(schema: JsonObject, at: string): string[] {
  const problems = FORBIDDEN.filter((word) => word in schema).map((word) => `${at}: has ${word}`);
  const properties = Object.entries(propertiesOf(schema));
  const orders = properties.map(([, property]) => property['order']);
  if (!orders.every(Number.isInteger) || new Set(orders).size < orders.length)
    problems.push(`${at}: its properties are not put in order`);
  for (const name of (schema['required'] ?? []) as string[])
    if (!(name in propertiesOf(schema))) problems.push(`${at}: requires ${name}, which it does not have`);
  for (const [name, property] of properties)
    problems.push(...propertyProblems(name, property, `${at}.${name}`));
  return problems;
}

function propertyProblems(name: string, property: JsonObject, at: string): string[] {
  const problems: string[] = [];
  const {
    type,
    oneOf,
    items,
    enum: values,
    format,
    airbyte_secret: secret,
  } = property as Readonly<Record<string, JsonValue | undefined>>;
  if (typeof property['title'] !== 'string') problems.push(`${at}: has no title`);
  if (typeof property['description'] !== 'string') problems.push(`${at}: has no description`);
  if (Array.isArray(type) ? type.length !== 2 || type[1] !== 'null' : typeof type !== 'string')
    problems.push(`${at}: is not of one type`);
  if (Array.isArray(values) && new Set(values).size < values.length) problems.push(`${at}: repeats a value`);
  const open = type === 'object' || type === 'boolean' || property['const'] !== undefined;
  if (SECRET_NAMES.has(name) && !open && secret !== true) problems.push(`${at}: is not marked as a secret`);
  if (open && secret === true) problems.push(`${at}: is marked as a secret, which it cannot be`);
  if ('pattern' in property && typeof property['pattern_descriptor'] !== 'string')
    problems.push(`${at}: has no description of its pattern`);
  if (Array.isArray(values) && 'default' in property && !values.includes(property['default']!))
    problems.push(`${at}: has a default that is none of its values`);
  if (format === 'date-time' && typeof property['pattern'] !== 'string')
    problems.push(`${at}: has no pattern`);
  if (type === 'array' && !(isObject(items) && ('enum' in items || ITEM_TYPES.has(items['type']))))
    problems.push(`${at}: has items of a forbidden type`);
  if (oneOf === undefined) {
    if (type === 'object' && Object.keys(propertiesOf(property)).length === 0)
      problems.push(`${at}: is empty`);
  } else problems.push(...variantProblems(property, at));
  if (isObject(items)) problems.push(...problemsOf(items, `${at}[]`));
  return [...problems, ...problemsOf(property, at)];
}

function variantProblems({ type, oneOf }: JsonObject, at: string): string[] {
  const variants = oneOf as JsonObject[];
  const problems = variants.flatMap((variant, i) => [
    ...(variant['type'] === 'object' ? [] : [`${at}[${i}]: is no object`]),
    ...(typeof variant['title'] === 'string' ? [] : [`${at}[${i}]: has no title`]),
    ...problemsOf(variant, `${at}[${i}]`),
    ...Object.entries(propertiesOf(variant)).flatMap(([name, property]) =>
      propertyProblems(name, property, `${at}[${i}].${name}`),
    ),
  ]);
  if (type !== 'object') problems.push(`${at}: is a choice, yet no object`);
  const fixed = variants.map((variant) =>
    Object.entries(propertiesOf(variant)).filter(([, property]) => property['const'] !== undefined),
  );
  const common = fixed[0]?.filter(([name]) =>
    fixed.every((names) => names.some(([other]) => other === name)),
  );
  if (common?.length !== 1) problems.push(`${at}: its variants do not have one constant in common`);
  const values = fixed.map((names) => names.find(([name]) => name === common?.[0]?.[0])?.[1]);
  if (new Set(values.map((value) => value?.['const'])).size < values.length)
    problems.push(`${at}: two variants have the same constant`);
  if (values.some((value) => value !== undefined && ('default' in value || 'enum' in value)))
    problems.push(`${at}: a constant has a default or an enum`);
  return problems;
}

function propertiesOf(schema: JsonObject): Readonly<Record<string, JsonObject>> {
  return isObject(schema['properties']) ? (schema['properties'] as Record<string, JsonObject>) : {};
}
