import { defineProblems, type Problem } from '@bootswarm/images/format';

export interface StartOptions {
  /** Folder of state and artefacts. */
  readonly data: string;
  readonly address: string;
  readonly port: number;
  readonly swarmPort: number;
}

/** What keeps a controller from starting. */
export const problem = defineProblems({
  folder_in_use: {
    status: 409,
    message: 'another controller runs on {data}',
    remedy: "End it ('pgrep -af controller/server' shows it), or choose another folder with --data.",
  },
  port_in_use: {
    status: 409,
    message: 'port {port} is in use on {address}',
    remedy: "End the other program ('ss -ltnp' shows it) or choose another with {option}.",
  },
  network_invalid: {
    status: 422,
    message: '{reason}',
    remedy: 'Write each --bmc-network as ADDRESS/LENGTH, such as 10.9.0.0/16.',
  },
  address_unknown: {
    status: 422,
    message: 'no interface of this host has the address {address}',
    remedy: "Choose one of 'ip address' with --address.",
  },
  not_permitted: {
    status: 403,
    message: 'no permission for {what}',
    remedy: 'Run as root, or choose another folder with --data and a port above 1023 with --port.',
  },
  folder_unusable: {
    status: 422,
    message: '{data} cannot be a folder: {reason}',
    remedy: 'Choose another folder with --data.',
  },
  disk_full: {
    status: 507,
    message: 'the disk of {data} is full',
    remedy: 'Make room and start again; nothing was lost.',
  },
});

/** The problem behind an error of the system while listening or opening the data; undefined for a defect. */
export function startProblem(error: NodeJS.ErrnoException, options: StartOptions): Problem | undefined {
  const { data, address, port } = options;
  switch (error.code) {
    case 'EADDRINUSE':
      return problem('port_in_use', { facts: { address, port, option: '--port' }, cause: error });
    case 'EADDRNOTAVAIL':
      return problem('address_unknown', { facts: { address }, cause: error });
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
      return problem('not_permitted', { facts: { what: error.path ?? `port ${port}` }, cause: error });
    case 'ENOTDIR':
    case 'EEXIST':
    case 'ENOENT':
      return problem('folder_unusable', { facts: { data, reason: error.message }, cause: error });
    case 'ENOSPC':
      return problem('disk_full', { facts: { data }, cause: error });
    default:
      return undefined;
  }
}
