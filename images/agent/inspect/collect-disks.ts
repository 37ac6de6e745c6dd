import { readdirSync, readFileSync, readlinkSync, realpathSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { Disk, Holding } from '@bootswarm/images/install';
import type { Programs } from '../install/run-program.ts';
import { diskFrom, type ProbedSignature, parseBlkidExport } from './block-devices.ts';
import { byPathNames } from './disk-paths.ts';

/** blkid(8): nothing was found; several signatures were, and it would not choose. */
const NOTHING = 2;
const AMBIVALENT = 8;
/** pvs(8): what was asked for is no member of a group, or not a whole one. */
const NO_MEMBER = 5;
const SECTOR_BYTES = 512;
/** Of either end: superblocks that are known stand there, those of pools in the first and last half of it. */
const PROBED_BYTES = 2 ** 20;
/** Of a SCSI page of product data: device type, page, length of two bytes (SPC-4, section 7.8). */
const VPD_HEAD_BYTES = 4;

/** A disk, and by what its partition table is known. */
export interface FoundDisk {
  readonly disk: Disk;
  /** The GPT disk GUID, or the MBR's signature of eight digits; undefined without a table. */
  readonly tableUuid: string | undefined;
}

export interface CollectOptions {
  readonly programs: Programs;
  readonly signal: AbortSignal;
  /** Another than `/`, for tests. */
  readonly root?: string;
}

/** Every disk of the machine, as it is now. Reads from the disks, and writes to none. */
export async function collectDisks({
  programs,
  signal,
  root = '/',
}: CollectOptions): Promise<readonly FoundDisk[]> {
  const sys = new Sys(root);
  const inUse = sys.inUse();
  const found: FoundDisk[] = [];
  for (const name of sys.list('sys/block')) {
    // What is no disk is not probed either: a drive without a medium takes half a minute to say so.
    if (!diskFrom(name, (path) => sys.read(`sys/block/${name}/${path}`), NO_FINDINGS)) continue;
    const parts = sys
      .list(`sys/block/${name}`)
      .filter((part) => sys.has(`sys/block/${name}/${part}/partition`));
    const devices: { readonly name: string; readonly signature: ProbedSignature }[] = [];
    const unreadable: Holding[] = [];
    for (const device of [name, ...parts]) {
      const signatures = await signaturesOf(device, programs, signal);
      const [first = {}, ...others] = signatures ?? [];
      const partName = device === name ? undefined : sys.partName(`sys/block/${name}/${device}`);
      const whole = partName === undefined ? first : { ...first, PART_ENTRY_NAME: partName };
      devices.push(...[whole, ...others].map((signature) => ({ name: device, signature })));
      const reason = signatures ? undefined : await sys.readFailure(device);
      if (reason !== undefined) unreadable.push({ kind: 'unreadable', where: device, detail: reason });
    }
    const holders = [
      `sys/block/${name}/holders`,
      ...parts.map((part) => `sys/block/${name}/${part}/holders`),
    ];
    const disk = diskFrom(name, (path) => sys.read(`sys/block/${name}/${path}`), {
      devices,
      byPath: sys.byPath(name),
      isBusy: holders.some((path) => sys.list(path).length > 0) || [name, ...parts].some((n) => inUse.has(n)),
      vpdSerial: sys
        .readBytes(`sys/block/${name}/device/vpd_pg80`)
        ?.subarray(VPD_HEAD_BYTES)
        .toString('latin1'),
    });
    const tableUuid = devices.find((device) => device.name === name)?.signature['PTUUID']?.toLowerCase();
    if (disk) found.push({ disk: { ...disk, holds: [...disk.holds, ...unreadable] }, tableUuid });
  }
  return found;
}

const NO_FINDINGS = { devices: [], byPath: [], isBusy: false } as const;

/**
 * One for a device that has one signature; each where blkid finds several, as a member of an old array has. Undefined where
 * blkid has nothing to tell, be it that nothing is there, or that it could not read.
 */
async function signaturesOf(
  device: string,
  programs: Programs,
  signal: AbortSignal,
): Promise<readonly ProbedSignature[] | undefined> {
  const path = `/dev/${device}`;
  const what = `look at ${path}`;
  const probed = await programs.run(['blkid', '-p', '-o', 'export', path], {
    what,
    signal,
    fine: [NOTHING, AMBIVALENT],
  });
  if (probed.code === NOTHING) return undefined;
  if (probed.code !== AMBIVALENT) {
    const signature = parseBlkidExport(probed.stdout);
    return [
      signature['TYPE'] === 'LVM2_member' ? await withGroup(signature, path, programs, signal) : signature,
    ];
  }
  const argv = ['wipefs', '--no-act', '--noheadings', '--output', 'TYPE', path] as const;
  const { stdout } = await programs.run(argv, { what, signal });
  const types = stdout.split('\n').map((line) => line.trim());
  return types.filter((type) => type !== '').map((type) => ({ TYPE: type }));
}

async function withGroup(
  signature: ProbedSignature,
  path: string,
  programs: Programs,
  signal: AbortSignal,
): Promise<ProbedSignature> {
  const { stdout } = await programs.run(['pvs', '--noheadings', '--options', 'vg_name', path], {
    what: `look at ${path}`,
    signal,
    fine: [NO_MEMBER],
  });
  const group = stdout.trim();
  return group === '' ? signature : { ...signature, VG_NAME: group.slice(0, 128) };
}

/** Reads what the kernel tells; whatever is not there is undefined or empty. */
class Sys {
  readonly #root: string;

  constructor(root: string) {
    this.#root = root;
  }

  read(path: string): string | undefined {
    return this.readBytes(path)?.toString('utf8').trim();
  }

  readBytes(path: string): Buffer | undefined {
    try {
      return readFileSync(join(this.#root, path));
    } catch {
      return undefined;
    }
  }

  /** The name of a partition in its GPT, which the kernel knows whatever can be read of it now. */
  partName(path: string): string | undefined {
    return /^PARTNAME=(.*)$/m.exec(this.read(`${path}/uevent`) ?? '')?.[1];
  }

  /** Why what signatures stand in cannot be read, both ends of a device; undefined where it can. */
  async readFailure(device: string): Promise<string | undefined> {
    try {
      await using file = await open(join(this.#root, 'dev', device));
      const memory = Buffer.allocUnsafe(PROBED_BYTES);
      const sectors = Number(this.read(`sys/class/block/${device}/size`) ?? 0);
      for (const start of [0, Math.max(0, sectors * SECTOR_BYTES - PROBED_BYTES)])
        for (let done = 0; done < PROBED_BYTES; ) {
          const { bytesRead } = await file.read(memory, done, PROBED_BYTES - done, start + done);
          if (bytesRead === 0) break;
          done += bytesRead;
        }
      return undefined;
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      return code ?? message.slice(0, 200);
    }
  }

  has(path: string): boolean {
    return this.readBytes(path) !== undefined;
  }

  list(path: string): readonly string[] {
    try {
      return readdirSync(join(this.#root, path)).toSorted();
    } catch {
      return [];
    }
  }

  byPath(name: string): readonly string[] {
    try {
      const device = realpathSync(join(this.#root, 'sys/block', name));
      const read = (path: string): string | undefined => {
        try {
          return readFileSync(path, 'utf8').trim();
        } catch {
          return undefined;
        }
      };
      return byPathNames(device, read, (folder) =>
        readdirSync(folder).filter((each) => /^host\d+$/.test(each)),
      );
    } catch {
      return [];
    }
  }

  /** Kernel names of what is mounted or swapped to. */
  inUse(): ReadonlySet<string> {
    const lines = [
      ...(this.read('proc/mounts') ?? '').split('\n'),
      ...(this.read('proc/swaps') ?? '').split('\n'),
    ];
    const devices = lines.flatMap((line) => (line.startsWith('/dev/') ? [line.split(/\s/, 1)[0] ?? ''] : []));
    return new Set(devices.map((device) => this.#kernelName(device)));
  }

  #kernelName(device: string): string {
    try {
      return basename(readlinkSync(join(this.#root, device)));
    } catch {
      return basename(device);
    }
  }
}
