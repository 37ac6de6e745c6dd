import { setTimeout as sleep } from 'node:timers/promises';
import { parseArguments } from '@bootswarm/images/agent';
import type { Addresses } from './addresses.ts';
import { expandSettings, readScript, type ScriptStep, settingsOf } from './boot-script.ts';
import type { Asker, Grant } from './dhcp-asks.ts';
import type { DhcpClient } from './dhcp-client.ts';
import { fetchByHttp, getText, openHttp } from './http-get.ts';
import type { MachineSpec } from './machine-spec.ts';
import { type InstalledDisk, runAgent } from './played-agent.ts';
import { fetchByTftp } from './tftp-fetch.ts';

/** Firmware's self-test; of a server it takes minutes. */
const POST_MS = 500;
/** Firmware that finds nothing to boot begins anew. */
const NOTHING_BOOTS_MS = 5_000;
const FIRST_BOOT_RETRY_MS = 2_000;

export interface MachineParts {
  readonly spec: MachineSpec;
  readonly dhcp: Pick<DhcpClient, 'lease'>;
  readonly addresses: Pick<Addresses, 'take' | 'drop'>;
  readonly trustRoot: string;
  readonly folder: string;
  readonly stepMs: number;
  /** Told what it comes to: `power`, `lease`, `firmware`, `script`, `kernel`, `agent`, `disk`, `up`, `stuck`. */
  readonly tell: (event: string, detail: string) => void;
}

/** A server from power-on to power-off, as its edge sees it: what it asks, fetches and says, from its own address. */
export class PlayedMachine {
  readonly #parts: MachineParts;
  #power: AbortController | undefined;
  #running: Promise<void> = Promise.resolve();
  #disk: InstalledDisk | undefined;
  /** Epochs whose system has told that it is up. */
  #toldEpoch = 0;
  #address: string | undefined;

  constructor(parts: MachineParts) {
    this.#parts = parts;
  }

  get isOn(): boolean {
    return this.#power !== undefined;
  }

  /** Of one that is on it is no change. */
  powerOn(): void {
    if (this.#power) return;
    const power = new AbortController();
    this.#power = power;
    this.#parts.tell('power', 'on');
    this.#running = this.#run(power.signal);
  }

  /** Resolves once nothing of it speaks any more. */
  async powerOff(): Promise<void> {
    if (!this.#power) return;
    this.#power.abort(new Error('the power was cut'));
    this.#power = undefined;
    await this.#running;
    this.#parts.tell('power', 'off');
  }

  /** Boots again and again until the power is cut. Never rejects. */
  async #run(power: AbortSignal): Promise<void> {
    while (!power.aborted) {
      try {
        await this.#boot(power);
      } catch (error) {
        if (power.aborted) break;
        this.#parts.tell('stuck', (error as Error).message);
        await sleep(NOTHING_BOOTS_MS, undefined, { signal: power }).catch(() => {});
      }
    }
    if (this.#address !== undefined) await this.#parts.addresses.drop(this.#address).catch(() => {});
    this.#address = undefined;
  }

  /** One boot: from the network as firmware does it, or else from the disk. */
  async #boot(power: AbortSignal): Promise<void> {
    await sleep(POST_MS, undefined, { signal: power });
    const step = await this.#networkBoot(power);
    if (step.kind === 'local') return this.#diskBoot(power);
    const { tell, spec } = this.#parts;
    const { edgeUrl, mac } = parseArguments(step.arguments);
    const from = this.#address ?? '';
    for (const url of [step.kernelUrl, step.initramfsUrl])
      if (url !== undefined)
        tell('kernel', `${url}: ${await fetchByHttp(url, { from, signal: power })} bytes`);
    if (edgeUrl === undefined) {
      tell('up', 'a live system without an agent');
      return asleep(power);
    }
    await this.#lease('agent', power);
    tell('agent', `speaks to ${edgeUrl} as ${mac ?? spec.mac}`);
    const how = await runAgent({
      ...this.#parts,
      address: this.#address ?? '',
      edgeUrl,
      onDisk: (disk) => {
        this.#disk = disk;
        tell('disk', disk === undefined ? 'empty' : `${disk.release} of epoch ${disk.epoch}`);
      },
      say: () => {},
      signal: power,
    });
    if (how === 'reboot') return;
    tell('up', 'a live system');
    return asleep(power);
  }

  async #networkBoot(power: AbortSignal): Promise<Exclude<ScriptStep, { kind: 'wait' }>> {
    const { spec, tell } = this.#parts;
    const rom = await this.#lease('firmware', power);
    if (!rom || rom.bootFile === '') return { kind: 'local' };
    const from = rom.address;
    const bytes = await fetchByTftp({ server: rom.nextServer, file: rom.bootFile, from }, power);
    tell('firmware', `${rom.bootFile}: ${bytes} bytes by TFTP`);
    const ipxe = await this.#lease('ipxe', power);
    if (!ipxe) return { kind: 'local' };
    const settings = settingsOf(spec);
    let url = expandSettings(ipxe.bootFile, settings);
    for (;;) {
      const step = readScript(await getText(url, { from: ipxe.address, signal: power }), settings);
      tell('script', step.kind);
      if (step.kind !== 'wait') return step;
      await sleep(step.seconds * 1000, undefined, { signal: power });
      url = step.scriptUrl;
    }
  }

  /** What was installed comes up, and says so once; an empty disk boots nothing. */
  async #diskBoot(power: AbortSignal): Promise<void> {
    const { tell } = this.#parts;
    const disk = this.#disk;
    if (!disk) throw new Error('nothing to boot: the disk is empty');
    await this.#lease('system', power);
    tell('up', `${disk.release} from the disk`);
    if (disk.does !== 'silent' && this.#toldEpoch < disk.epoch) await this.#tellFirstBoot(disk, power);
    return asleep(power);
  }

  /** As the unit in the new system does: until it is heard, or nobody waits for it. */
  async #tellFirstBoot({ firstBootUrl, epoch }: InstalledDisk, power: AbortSignal): Promise<void> {
    for (;;) {
      const answered = await openHttp(firstBootUrl, { from: this.#address ?? '', signal: power }).catch(
        () => undefined,
      );
      answered?.resume();
      if (answered?.statusCode === 200 || answered?.statusCode === 410) break;
      await sleep(FIRST_BOOT_RETRY_MS, undefined, { signal: power });
    }
    this.#toldEpoch = epoch;
  }

  async #lease(asker: Asker, power: AbortSignal): Promise<Grant | undefined> {
    const { dhcp, spec, addresses, tell } = this.#parts;
    const grant = await dhcp.lease({ asker, spec }, power);
    if (!grant) {
      tell('lease', `${asker}: nobody gives an address`);
      return undefined;
    }
    if (this.#address !== grant.address) {
      if (this.#address !== undefined) await addresses.drop(this.#address);
      await addresses.take(grant.address);
      this.#address = grant.address;
    }
    tell('lease', `${asker}: ${grant.address} of ${grant.server}`);
    return grant;
  }
}

/** Until the power is cut. @throws the signal's reason. */
function asleep(power: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const wake = (): void => reject(power.reason);
    if (power.aborted) wake();
    power.addEventListener('abort', wake, { once: true });
  });
}
