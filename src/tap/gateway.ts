import { configError } from '../shared/errors.ts';
import { isObject, type JsonObject } from '../shared/json/value.ts';
import { askAtlassian, type AtlassianContext } from './atlassian.ts';
import type { Config } from './config.ts';

type Place = Pick<Config, 'base_url' | 'cloud_id' | 'gateway_url'>;

/** The address of a site at Atlassian's gateway, below which its REST API is. */
export function gatewayAddress({ gateway_url }: Place, cloudId: string): string {
  return `${withoutSlash(gateway_url)}/ex/jira/${encodeURIComponent(cloudId)}`;
}

/** The id in `base_url`, for those who give the address at the gateway there. */
function idInAddress({ base_url, gateway_url }: Place): string | undefined {
  const prefix = `${withoutSlash(gateway_url)}/ex/jira/`;
  return base_url.startsWith(prefix) ? withoutSlash(base_url.slice(prefix.length)) : undefined;
}

/** The cloud id of the configured site; a site tells its own to anybody who asks. */
export async function cloudIdOf(place: Place, context: AtlassianContext): Promise<string> {
  const known = place.cloud_id ?? idInAddress(place);
  if (known !== undefined) return known;
  const site = new URL(place.base_url).origin;
  const { status, body } = await askAtlassian(context, {
    method: 'GET',
    url: `${site}/_edge/tenant_info`,
    headers: {},
    what: 'looking up the cloud id',
    setting: 'base_url',
  });
  const id = isObject(body) ? body['cloudId'] : undefined;
  if (status === 200 && typeof id === 'string' && id !== '') return id;
  throw configError(
    `looking up the cloud id: ${site} does not tell it (${status}); set base_url to the address of the site, such as https://your-site.atlassian.net, or set cloud_id`,
    { code: 'NOT_JIRA' },
  );
}

/** A site that a login gives access to. */
type Resource = {
  readonly id: string;
  readonly url: string;
  readonly name: string;
  readonly scopes: readonly string[];
};

/**
 * The cloud id of the site that a login is for: the one named by `cloud_id` or `base_url`. If the login does not
 * give access to it, the error lists those it does; if it lacks a scope that every run needs, it names that.
 */
export async function cloudIdOfLogin(
  place: Place,
  header: string,
  context: AtlassianContext,
): Promise<string> {
  const { status, body } = await askAtlassian(context, {
    method: 'GET',
    url: `${withoutSlash(place.gateway_url)}/oauth/token/accessible-resources`,
    headers: { authorization: header },
    what: 'asking which sites the login is for',
    setting: 'gateway_url',
  });
  if (status !== 200 || !Array.isArray(body))
    throw configError(
      `asking which sites the login is for: refused (${status}); check gateway_url, or run tap-jira authorize --config FILE`,
      { code: 'AUTH' },
    );
  const resources = body.flatMap((value: unknown) => resourceOf(value) ?? []);
  const wanted = place.cloud_id ?? idInAddress(place);
  const matching = resources.filter(({ id, url }) =>
    wanted === undefined ? sameHost(url, place.base_url) : id === wanted,
  );
  const [first] = matching;
  if (first === undefined) throw noSuchSite(resources, wanted ?? place.base_url);
  expectScopes(matching.flatMap(({ scopes }) => scopes));
  return first.id;
}

function noSuchSite(resources: readonly Resource[], wanted: string): Error {
  const list = new Map(resources.map(({ id, url, name }) => [id, `${url} (${name}, cloud_id ${id})`]));
  const advice =
    list.size === 0
      ? 'but to no site at all'
      : `but to ${[...list.values()].join(', ')}; set base_url or cloud_id to one of them`;
  return configError(
    `the login does not give access to ${wanted}, ${advice}, or run tap-jira authorize --config FILE and choose the site`,
    { code: 'AUTH' },
  );
}

/** Classic scopes only: where granular ones (`read:issue:jira`) were chosen, each request says what it lacks. */
function expectScopes(scopes: readonly string[]): void {
  if (scopes.some((scope) => scope.endsWith(':jira'))) return;
  const missing = ['read:jira-work', 'read:jira-user'].filter((scope) => !scopes.includes(scope));
  if (missing.length === 0) return;
  throw configError(
    `the login lacks the scope ${missing.join(' ')}; add it to the app in the developer console, and run tap-jira authorize --config FILE`,
    { code: 'AUTH' },
  );
}

function resourceOf(value: unknown): Resource | undefined {
  const { id, url, name, scopes }: JsonObject = isObject(value) ? value : {};
  if (typeof id !== 'string' || typeof url !== 'string') return undefined;
  return {
    id,
    url,
    name: typeof name === 'string' ? name : url,
    scopes: Array.isArray(scopes) ? scopes.filter((scope) => typeof scope === 'string') : [],
  };
}

function sameHost(a: string, b: string): boolean {
  return URL.canParse(a) && URL.canParse(b) && new URL(a).host === new URL(b).host;
}

function withoutSlash(address: string): string {
  return address.replace(/\/+$/, '');
}
