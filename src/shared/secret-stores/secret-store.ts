/** A service that keeps texts by name. `setting` names in errors what a text is for. */
export type SecretStore = {
  /** What the service calls such a text, for messages. */
  readonly kind: string;
  /** Undefined where nothing is kept under this name yet. */
  readonly read: (name: string, setting: string) => Promise<string | undefined>;
  /** Throws a config error if these credentials may not replace the text; changes nothing. */
  readonly expectWritable: (name: string, setting: string) => Promise<void>;
  /** Replaces the text, or makes a new one; resolves once a crash cannot lose it. */
  readonly write: (name: string, text: string, setting: string) => Promise<void>;
};

/** How long AWS may take; everything else is found by its SDK. */
export const CLIENT_SETTINGS = {
  requestHandler: { connectionTimeout: 10_000, requestTimeout: 30_000, throwOnRequestTimeout: true },
};
