/** The members of a credential, by their names in `credentials`, as text that is secret. */
export type CredentialMembers = Readonly<Record<string, string>>;

/** Where the members of a credential are kept, and how renewed ones get there. */
export type CredentialStore = {
  /** For messages: a file's path, or the name of a parameter or secret. */
  readonly name: string;
  /** The members as they are now, read anew: another process may have renewed them. */
  readonly load: () => Promise<CredentialMembers>;
  /** Throws a config error, before a new value is asked for, if these members could not be saved. */
  readonly expectWritable?: (members: readonly string[]) => Promise<void>;
  /** Replaces the named members; resolves once a crash cannot lose them. Other members and settings are kept. */
  readonly save: (members: CredentialMembers) => Promise<void>;
};
