import { type Machine, problem } from '@bootswarm/controller/contract';
import { CommandDriver } from './command-hook.ts';
import type { Driver } from './driver.ts';
import { IpmiDriver } from './ipmi.ts';
import type { BmcNetworks } from './networks.ts';
import { RedfishDriver } from './redfish.ts';
import { WakeOnLanDriver } from './wake-on-lan.ts';

const EVERYBODY = '255.255.255.255';

interface Means {
  readonly networks: BmcNetworks;
  /** Of power commands. */
  readonly folder: string | undefined;
  readonly reveal: (secret: string) => Promise<string>;
}

type Subject = Pick<Machine, 'id' | 'macs' | 'uuid' | 'bmc'>;

/** @throws Problem bmc_none, bmc_secret_unfit, and those of addresses and secrets. */
export async function driverOf(machine: Subject, { networks, folder, reveal }: Means): Promise<Driver> {
  const { bmc } = machine;
  switch (bmc?.kind) {
    case undefined:
      throw problem('bmc_none', { facts: { machine: machine.id } });
    case 'ipmi':
      return new IpmiDriver({ bmc, ip: await networks.pin(bmc.address), password: await reveal(bmc.secret) });
    case 'redfish':
      return new RedfishDriver({
        bmc,
        ip: await networks.pin(bmc.address),
        password: await reveal(bmc.secret),
      });
    case 'command': {
      const password = bmc.secret === undefined ? undefined : await reveal(bmc.secret);
      return new CommandDriver({ bmc, machine, folder, password });
    }
    case 'wol': {
      if (bmc.address !== EVERYBODY) await networks.pin(bmc.address);
      const password = bmc.secret === undefined ? undefined : await reveal(bmc.secret);
      return new WakeOnLanDriver({ bmc, mac: bmc.mac ?? machine.macs[0] ?? '', password });
    }
  }
}

/** What of a BMC is wrong before it is spoken to. @throws Problem bmc_address_forbidden */
export function checkBmcAddress(bmc: Machine['bmc'], networks: BmcNetworks): void {
  if (!bmc || !('address' in bmc) || bmc.address === EVERYBODY) return;
  const { address } = bmc;
  const isName = !address.includes(':') && /[a-z]/i.test(address);
  // What a name stands for is looked at whenever it is spoken to.
  if (!isName && !networks.allows(address))
    throw problem('bmc_address_forbidden', { field: 'address', facts: { address } });
}

/** Of two machines with the same, one waits for the other: an enclosure, or a PDU, is one BMC. */
export function laneOf({ id, bmc }: Subject): string {
  if (bmc?.kind === 'ipmi' || bmc?.kind === 'redfish') return `${bmc.address}:${bmc.port}`;
  return bmc?.kind === 'command' ? `command ${bmc.program}` : id;
}

/** For errors. */
export function addressOf({ bmc }: Subject): string {
  if (bmc?.kind === 'command') return `the command ${bmc.program}`;
  return bmc?.address ?? '';
}
