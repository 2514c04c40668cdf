/** How the bodies of volumes and credentials are read; see `wire/json-schema.ts`. */
import { list, record, type Schema, string, struct } from '../../wire/json-schema.ts';
import type { AuthConfig, Platform } from '../types/image.ts';
import type { ManifestPush } from '../types/manifest.ts';
import type { VolumeCreateRequest } from '../types/volume.ts';

/** Body of `POST /volumes/create`. */
export const volumeCreateRequest: Schema<VolumeCreateRequest> = struct<VolumeCreateRequest>('volume.CreateOptions', {
  Name: string,
  Driver: string,
  DriverOpts: record(string),
  Labels: record(string),
});

/** Body of `POST /auth` and content of `X-Registry-Auth`. */
export const authConfig: Schema<AuthConfig> = struct<AuthConfig>('registry.AuthConfig', {
  username: string,
  password: string,
  auth: string,
  email: string,
  serveraddress: string,
  identitytoken: string,
  registrytoken: string,
});

/** Body of `PUT /berth/v1/manifests/{name}`. */
export const manifestPush: Schema<ManifestPush> = struct<ManifestPush>('ManifestPush', {
  MediaType: string,
  Document: string,
  Sources: list(string),
});

/** The `platform` parameter where it is JSON (`{"os":"linux","architecture":"arm64"}`). */
export const platform: Schema<Pick<Platform, 'os' | 'architecture'> & { variant: string }> = struct('v1.Platform', {
  os: string,
  architecture: string,
  variant: string,
});
