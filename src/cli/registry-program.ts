/** What `berth registry …` runs. The program itself is the other side of the house: `bin` hands it over. */

export interface RegistrySettings {
  /** Directory of everything that the registry keeps. */
  root: string;
  /** `host:port`, one or more. */
  addresses: readonly string[];
  /** PEM files; both or none. */
  tlsCertificate: string;
  tlsKey: string;
  /** Make a certificate for these names where there is none; empty: no. */
  selfSignedNames: readonly string[];
  authentication: 'token' | 'basic';
  /** Path of an htpasswd file; empty: none. */
  htpasswd: string;
  /** Everybody may pull from everywhere. */
  isPublic: boolean;
  mayDelete: boolean;
  /** Pages for browsers. */
  hasPages: boolean;
  /** Visitors of the pages may make accounts. */
  maySignUp: boolean;
  /** Take manifests whose layers or platforms are not all here. */
  mayBeSparse: boolean;
  /** `[NAME=]URL` each. */
  mirrors: readonly string[];
  /** Path of a file like docker's config.json with the mirrors' credentials; empty: none. */
  mirrorCredentials: string;
  /** Milliseconds. */
  grace: number;
  collectionInterval: number;
  uploadLifetime: number;
  debug: boolean;
}

export type NamespaceRole = 'read' | 'write' | 'admin';

/** Accounts, changed on disk: a registry that runs sees it at once. */
export interface RegistryAccounts {
  add(user: { name: string; password: string; isAdmin: boolean }): Promise<void>;
  remove(name: string): Promise<void>;
  setPassword(name: string, password: string): Promise<void>;
  users(): { name: string; isAdmin: boolean; created: number }[];
  setPublic(namespace: string, isPublic: boolean): Promise<void>;
  grant(namespace: string, user: string, role: NamespaceRole | null): Promise<void>;
  close(): void;
}

export interface RegistryProgram {
  /** Serves until a signal comes. */
  serve(settings: RegistrySettings): Promise<number>;
  /** @param root as of the settings */
  accounts(root: string): Promise<RegistryAccounts>;
}
