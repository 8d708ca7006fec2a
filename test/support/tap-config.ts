import type { JsonObject } from '../../src/shared/json/value.ts';
import type { Flavour } from './jira/model.ts';
import { DEFAULT_USER } from './jira/state.ts';

export const FLAVOURS = ['cloud', 'datacenter'] as const satisfies readonly Flavour[];

/** A configuration that logs in to a simulated Jira as its default user. */
export function tapConfig(flavour: Flavour, url: string, more: JsonObject = {}): JsonObject {
  const credentials =
    flavour === 'cloud'
      ? { auth_type: 'api_token', email: DEFAULT_USER.email!, api_token: DEFAULT_USER.apiToken! }
      : { auth_type: 'personal_access_token', token: DEFAULT_USER.token! };
  return { base_url: url, credentials, ...more };
}
