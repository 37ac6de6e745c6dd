import { readdirSync, readFileSync, readlinkSync, realpathSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { Disk } from '@bootswarm/images/install';
import type { Programs } from '../install/run-program.ts';
import { diskFrom, type ProbedSignature, parseBlkidExport } from './block-devices.ts';
import { byPathNames } from './disk-paths.ts';

/** blkid(8): nothing was found; several signatures were, and it would not choose. */
const NOTHING = 2;
const AMBIVALENT = 8;
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
    for (const device of [name, ...parts]) {
      const signatures = await signaturesOf(device, programs, signal);
      devices.push(...signatures.map((signature) => ({ name: device, signature })));
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
    if (disk) found.push({ disk, tableUuid });
  }
  return found;
}

const NO_FINDINGS = { devices: [], byPath: [], isBusy: false } as const;

/** One for a device that has one signature; each where blkid finds several, as a member of an old array has. */
async function signaturesOf(
  device: string,
  programs: Programs,
  signal: AbortSignal,
): Promise<readonly ProbedSignature[]> {
  const path = `/dev/${device}`;
  const what = `look at ${path}`;
  const probed = await programs.run(['blkid', '-p', '-o', 'export', path], {
    what,
    signal,
    fine: [NOTHING, AMBIVALENT],
  });
  if (probed.code !== AMBIVALENT) return [parseBlkidExport(probed.stdout)];
  const argv = ['wipefs', '--no-act', '--noheadings', '--output', 'TYPE', path] as const;
  const { stdout } = await programs.run(argv, { what, signal });
  const types = stdout.split('\n').map((line) => line.trim());
  return types.filter((type) => type !== '').map((type) => ({ TYPE: type }));
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
