import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { type BmcOf, Mac, type PowerSeen, problem } from '@bootswarm/controller/contract';
import type { Driver, PowerCommand } from './driver.ts';

/** A packet that is lost is missed by nobody: it is sent some times. */
const TIMES = 3;
const GAP_MS = 200;
const MAC_TIMES = 16;

/** AMD's "Magic Packet Technology": six octets of ff, the MAC sixteen times, and the password of SecureOn. */
export function magicPacket(mac: string, password?: string): Buffer {
  const octets = (text: string): Buffer => Buffer.from(text.replaceAll(':', ''), 'hex');
  return Buffer.concat([
    Buffer.alloc(6, 0xff),
    ...Array.from({ length: MAC_TIMES }, () => octets(mac)),
    ...(password === undefined ? [] : [octets(password)]),
  ]);
}

interface WakeOptions {
  readonly bmc: BmcOf<'wol'>;
  readonly mac: string;
  /** SecureOn's, as the secret has it. */
  readonly password: string | undefined;
}

/** Turns on, and can tell nothing. */
export class WakeOnLanDriver implements Driver {
  readonly #bmc: BmcOf<'wol'>;
  readonly #packet: Buffer;

  /** @throws Problem bmc_secret_unfit */
  constructor({ bmc, mac, password }: WakeOptions) {
    this.#bmc = bmc;
    const parsed = password === undefined ? undefined : Mac.safeParse(password);
    if (parsed?.success === false) {
      const facts = {
        secret: bmc.secret ?? '',
        kind: 'wol',
        reason: 'it must be six octets, written like a MAC',
      };
      throw problem('bmc_secret_unfit', { field: 'secret', facts });
    }
    this.#packet = magicPacket(mac, parsed?.data);
  }

  async status(): Promise<PowerSeen> {
    return 'unknown';
  }

  async order(order: PowerCommand, signal: AbortSignal): Promise<void> {
    if (order !== 'on') throw unable(order);
    const socket = createSocket('udp4');
    try {
      socket.bind(0);
      await once(socket, 'listening', { signal });
      socket.setBroadcast(true);
      for (let time = 0; time < TIMES; time++) {
        if (time > 0) await sleep(GAP_MS, undefined, { signal });
        await this.#send(socket);
      }
    } finally {
      socket.close();
    }
  }

  async bootFromNetworkOnce(): Promise<void> {
    throw unable('the boot override');
  }

  async insertMedia(): Promise<void> {
    throw unable('virtual media');
  }

  async ejectMedia(): Promise<void> {
    throw unable('virtual media');
  }

  async [Symbol.asyncDispose](): Promise<void> {}

  #send(socket: ReturnType<typeof createSocket>): Promise<void> {
    const { address, port } = this.#bmc;
    return new Promise((resolve, reject) => {
      socket.send(this.#packet, port, address, (error) => {
        if (!error) return resolve();
        const facts = { kind: 'wol', what: 'on', reason: `${address} cannot be sent to: ${error.message}` };
        reject(problem('bmc_unable', { facts, cause: error }));
      });
    });
  }
}

function unable(what: string): Error {
  return problem('bmc_unable', {
    facts: { kind: 'wol', what, reason: 'it can turn machines on, and nothing else' },
  });
}
