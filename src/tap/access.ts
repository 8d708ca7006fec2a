import type { Log } from '../shared/log.ts';
import type { AtlassianContext } from './atlassian.ts';
import { authorizer } from './auth.ts';
import type { Authorization } from './auth-send.ts';
import { withFreshToken } from './authorize/renew-oauth1.ts';
import { siteAddress } from './client.ts';
import type { Config, Credential } from './config.ts';
import type { CredentialStore } from './credential-store.ts';
import { cloudIdOf, cloudIdOfLogin, gatewayAddress } from './gateway.ts';
import { oauth2Session } from './oauth2-session.ts';
import type { Oauth2Credential } from './oauth2-token.ts';

/** Where Jira's REST API is for a credential, and how requests are authorized there. */
export type Access = Authorization & {
  readonly baseUrl: string;
  /** The credential as it is used, perhaps renewed. */
  readonly credentials: Credential;
};

export type AccessOptions = {
  readonly config: Config;
  readonly store: CredentialStore | undefined;
  readonly atlassian: AtlassianContext;
  readonly log: Log;
};

/** Makes a credential ready for use: renewed where it ends, and pointed at the gateway where it works only there. */
export async function openAccess({ config, store, atlassian, log }: AccessOptions): Promise<Access> {
  const { credentials } = config;
  const { send, userAgent, clock, signal } = atlassian;
  const direct = { baseUrl: siteAddress(config.base_url), now: clock.now };
  switch (credentials.auth_type) {
    case 'oauth2':
      return oauth2Access(credentials, config, store, atlassian);
    case 'oauth1': {
      const parties = { ...direct, userAgent, send, signal };
      const fresh =
        store === undefined ? credentials : await withFreshToken(credentials, { parties, store, log });
      return { baseUrl: direct.baseUrl, credentials: fresh, authorize: authorizer(fresh, clock.now) };
    }
    default: {
      const throughGateway =
        credentials.auth_type === 'service_account' ||
        (credentials.auth_type === 'api_token' && credentials.scoped === true);
      const baseUrl = throughGateway
        ? gatewayAddress(config, await cloudIdOf(config, atlassian))
        : direct.baseUrl;
      return { baseUrl, credentials, authorize: authorizer(credentials, clock.now) };
    }
  }
}

async function oauth2Access(
  credentials: Oauth2Credential,
  config: Config,
  store: CredentialStore | undefined,
  atlassian: AtlassianContext,
): Promise<Access> {
  const session = oauth2Session(credentials, store, atlassian);
  const cloudId = await cloudIdOfLogin(config, await session.header(), atlassian);
  return {
    baseUrl: gatewayAddress(config, cloudId),
    credentials,
    authorize: session.header,
    renew: async (refused, { body }) =>
      !/scope does not match/i.test(body.toString('utf8', 0, 500)) && session.renew(refused),
  };
}
