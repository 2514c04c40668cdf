/** How network bodies are read; see `wire/json-schema.ts`. */
import {
  boolean,
  integer,
  list,
  nullable,
  optional,
  record,
  type Schema,
  string,
  struct,
} from '../../wire/json-schema.ts';
import type {
  EndpointIPAMConfig,
  EndpointSettings,
  IPAM,
  IPAMPool,
  NetworkConnectRequest,
  NetworkCreateRequest,
  NetworkDisconnectRequest,
} from '../types/network.ts';

const optionalString: Schema<string | undefined> = {
  type: 'string',
  zero: () => undefined,
  read: (value, path) => string.read(value, path) || undefined,
};

export const endpointSettings: Schema<EndpointSettings> = struct<EndpointSettings>('network.EndpointSettings', {
  IPAMConfig: nullable(
    struct<EndpointIPAMConfig>('network.EndpointIPAMConfig', {
      IPv4Address: optionalString,
      IPv6Address: optionalString,
      LinkLocalIPs: optional(list(string)),
    }),
  ),
  Links: list(string),
  Aliases: list(string),
  MacAddress: string,
  DriverOpts: record(string),
  GwPriority: integer,
  NetworkID: string,
  EndpointID: string,
  Gateway: string,
  IPAddress: string,
  IPPrefixLen: integer,
  IPv6Gateway: string,
  GlobalIPv6Address: string,
  GlobalIPv6PrefixLen: integer,
  DNSNames: list(string),
});

const ipamPool: Schema<IPAMPool> = struct<IPAMPool>('network.IPAMConfig', {
  Subnet: optionalString,
  IPRange: optionalString,
  Gateway: optionalString,
  AuxiliaryAddresses: optional(record(string)),
});

const ipam: Schema<IPAM> = struct<IPAM>('network.IPAM', {
  Driver: string,
  Options: record(string),
  Config: list(ipamPool),
});

/** Body of `POST /networks/create`. */
export const networkCreateRequest: Schema<NetworkCreateRequest> = struct<NetworkCreateRequest>(
  'network.CreateRequest',
  {
    Name: string,
    Driver: string,
    Scope: string,
    EnableIPv4: nullable(boolean),
    EnableIPv6: nullable(boolean),
    IPAM: nullable(ipam),
    Internal: boolean,
    Attachable: boolean,
    Ingress: boolean,
    ConfigOnly: boolean,
    ConfigFrom: nullable(struct<{ Network: string }>('network.ConfigReference', { Network: string })),
    Options: record(string),
    Labels: record(string),
  },
);

/** Body of `POST /networks/{id}/connect`. */
export const networkConnectRequest: Schema<NetworkConnectRequest> = struct<NetworkConnectRequest>(
  'network.ConnectOptions',
  { Container: string, EndpointConfig: nullable(endpointSettings) },
);

/** Body of `POST /networks/{id}/disconnect`. */
export const networkDisconnectRequest: Schema<NetworkDisconnectRequest> = struct<NetworkDisconnectRequest>(
  'network.DisconnectOptions',
  { Container: string, Force: boolean },
);
