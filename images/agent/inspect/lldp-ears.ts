import { constants } from 'node:fs';
import { type FileHandle, open, readFile, writeFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Programs } from '../install/run-program.ts';
import { decodeLldp, type LldpNeighbour } from './lldp.ts';

/** Switches speak every 30 s (IEEE 802.1AB, msgTxInterval), and some seconds after a link came up. */
const PATIENCE_MS = 35_000;
const LOOK_MS = 250;
const FRAME_MOST_BYTES = 16_384;
/** struct virtio_net_hdr stands before each frame, unless who opened the device says otherwise (drivers/net/tap.c). */
const TAP_HEADER_BYTES = 10;
/** linux/if.h */
const IFF_ALLMULTI = 0x200;

export interface EarsOptions {
  readonly programs: Programs;
  readonly signal: AbortSignal;
  readonly say: (line: string) => void;
  readonly patienceMs?: number;
}

/**
 * What switches say on cards that have a link, by card. Ends when each has been spoken to, and where not, after 35 s.
 * Frames are read from a macvtap device beside each card, which the kernel shows as a file: Node has no packet
 * sockets. Nothing is sent, as a switch may shut a port on which a second address speaks.
 */
export async function hearNeighbours(
  cards: readonly string[],
  { programs, signal, say, patienceMs = PATIENCE_MS }: EarsOptions,
): Promise<ReadonlyMap<string, readonly LldpNeighbour[]>> {
  const heard = new Map<string, LldpNeighbour[]>(cards.map((card) => [card, []]));
  const ears: Ear[] = [];
  try {
    const what = 'load the driver that frames are read by';
    // A kernel may have it built in.
    await programs.run(['modprobe', '-q', 'macvtap'], { what, signal, fine: [1] });
    for (const [index, card] of cards.entries())
      ears.push(await Ear.open(card, `lldp${index}`, programs, signal));
    const deadline = performance.now() + patienceMs;
    while (performance.now() < deadline && [...heard.values()].some(({ length }) => length === 0)) {
      await sleep(LOOK_MS, undefined, { signal });
      for (const ear of ears)
        for (const neighbour of await ear.hear()) {
          const known = heard.get(ear.card);
          if (known && !known.some((each) => isSame(each, neighbour))) known.push(neighbour);
        }
    }
  } catch (error) {
    // The rest of an inspection is worth having without it.
    if (signal.aborted) throw error;
    say(`LLDP was not listened to: ${(error as Error).message}`);
  } finally {
    for (const ear of ears) await ear.close();
  }
  return heard;
}

function isSame(one: LldpNeighbour, other: LldpNeighbour): boolean {
  return one.chassis === other.chassis && one.port === other.port;
}

/** A macvtap device above a card. */
class Ear {
  readonly card: string;
  readonly #name: string;
  readonly #programs: Programs;
  readonly #file: FileHandle;
  readonly #frame = Buffer.alloc(TAP_HEADER_BYTES + FRAME_MOST_BYTES);

  private constructor(card: string, name: string, programs: Programs, file: FileHandle) {
    this.card = card;
    this.#name = name;
    this.#programs = programs;
    this.#file = file;
  }

  static async open(card: string, name: string, programs: Programs, signal: AbortSignal): Promise<Ear> {
    const run = (...argv: readonly string[]): Promise<unknown> =>
      programs.run(['ip', ...argv], { what: `listen on ${card}`, signal });
    await run('link', 'add', 'link', card, 'name', name, 'type', 'macvtap');
    try {
      // It would ask for routers in its own name otherwise.
      await writeFile(`/proc/sys/net/ipv6/conf/${name}/disable_ipv6`, '1').catch(() => {});
      await hearMulticast(name);
      await run('link', 'set', 'dev', name, 'up');
      const index = (await readFile(`/sys/class/net/${name}/ifindex`, 'utf8')).trim();
      // A read that waits would hold one of Node's four threads.
      const file = await open(`/dev/tap${index}`, constants.O_RDONLY | constants.O_NONBLOCK);
      return new Ear(card, name, programs, file);
    } catch (error) {
      await remove(name, programs);
      throw error;
    }
  }

  /** The neighbours of all frames that came since the last call. */
  async hear(): Promise<readonly LldpNeighbour[]> {
    const neighbours: LldpNeighbour[] = [];
    for (;;) {
      const bytes = await this.#read();
      if (bytes === undefined) return neighbours;
      const neighbour = decodeLldp(this.#frame.subarray(TAP_HEADER_BYTES, bytes));
      if (neighbour && neighbour.ttlSeconds > 0) neighbours.push(neighbour);
    }
  }

  /** @returns undefined where nothing is there. */
  async #read(): Promise<number | undefined> {
    try {
      return (await this.#file.read(this.#frame, 0, this.#frame.length)).bytesRead;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EAGAIN') return undefined;
      throw error;
    }
  }

  async close(): Promise<void> {
    await this.#file.close();
    await remove(this.#name, this.#programs);
  }
}

/** By the file of its flags: busybox's ip has no word for it. */
async function hearMulticast(name: string): Promise<void> {
  const file = `/sys/class/net/${name}/flags`;
  const flags = Number(await readFile(file, 'utf8'));
  await writeFile(file, `0x${(flags | IFF_ALLMULTI).toString(16)}`);
}

async function remove(name: string, programs: Programs): Promise<void> {
  const options = { what: `stop listening on ${name}`, signal: AbortSignal.timeout(10_000) };
  await programs.run(['ip', 'link', 'del', name], options).catch(() => {});
}
