import { join } from 'node:path';
import type { Machine } from '@bootswarm/controller/contract';
import type { StateStore } from '../store/state-store.ts';
import type { Pace } from './carry-out.ts';
import { PowerDesk } from './desk.ts';
import { checkBmcAddress, driverOf } from './drivers.ts';
import { BmcNetworks } from './networks.ts';
import { Secrets } from './secrets.ts';
import type { Moment } from './standing.ts';

export interface PowerSettings {
  /** Of the controller: where the key of secrets lies, beside the state and not in it. */
  readonly data: string;
  /** Where BMCs are; private addresses where it is left out. */
  readonly networks?: BmcNetworks;
  /** Folder of power commands. */
  readonly commands?: string | undefined;
  readonly onDefect?: (error: unknown) => void;
  readonly pace?: Pace;
  readonly deadlinesMs?: Moment['deadlinesMs'];
}

/** Power and its secrets, over one store. */
export function makePower(
  store: StateStore,
  machines: () => Promise<readonly Machine[]>,
  settings: PowerSettings,
): { readonly power: PowerDesk; readonly secrets: Secrets } {
  const { data, networks = new BmcNetworks(), commands: folder, onDefect = () => {}, ...times } = settings;
  const secrets = new Secrets({ store, keyFile: join(data, 'secrets.key'), machines });
  const reveal = (name: string): Promise<string> => secrets.reveal(name);
  const power = new PowerDesk({
    store,
    driverOf: (machine) => driverOf(machine, { networks, folder, reveal }),
    checkBmc: (bmc) => checkBmcAddress(bmc, networks),
    holdSecret: (name, reads) => secrets.hold(name, reads),
    onDefect,
    ...times,
  });
  return { power, secrets };
}
