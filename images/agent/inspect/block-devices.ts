import type { Disk, Holding } from '@bootswarm/images/install';

/** What /sys tells of one disk, as text without the line's end; undefined where the file is missing. */
export type ReadAttribute = (path: string) => string | undefined;

/** A signature that blkid(8) found: `blkid -p -o export DEVICE`; with `VG_NAME` where pvs(8) knows it. */
export type ProbedSignature = Readonly<Record<string, string>>;

/** A disk or a partition of it. */
interface ProbedDevice {
  readonly name: string;
  readonly signature: ProbedSignature;
}

const SECTOR_BYTES = 512;
const DATA_MARK = /^bootswarm-keep/;
const TYPES: Readonly<Record<string, Holding['kind']>> = {
  LVM2_member: 'lvm',
  zfs_member: 'zfs',
  btrfs: 'btrfs',
  crypto_LUKS: 'luks',
  ceph_bluestore: 'ceph',
  swap: 'swap',
};

/**
 * A disk from what /sys says of it and what was found on it; undefined for what is no disk: loop devices, RAM disks,
 * optical drives, hidden paths, and arrays and volumes that stand on disks themselves.
 * @param name as under /sys/block.
 */
export function diskFrom(name: string, read: ReadAttribute, found: DiskFindings): Disk | undefined {
  if (/^(loop|ram|zram|sr|fd|md|dm-|nbd)/.test(name)) return undefined;
  // One path of several to an NVMe disk: the disk itself is listed beside it.
  if (read('hidden') === '1') return undefined;
  const sizeBytes = Number(read('size') ?? 0) * SECTOR_BYTES;
  if (!(sizeBytes > 0)) return undefined;
  const model = textOf(read('device/model'));
  const serial = textOf(read('device/serial') ?? read('serial') ?? found.vpdSerial);
  const wwn = textOf(read('wwid') ?? read('device/wwid'))?.replace(/^(naa|eui|uuid|t10)\./, (kind) =>
    kind === 'naa.' || kind === 'eui.' ? '0x' : kind,
  );
  return {
    name,
    sizeBytes,
    sectorBytes: read('queue/logical_block_size') === '4096' ? 4096 : 512,
    ...(model === undefined ? {} : { model }),
    ...(serial === undefined ? {} : { serial }),
    ...(wwn === undefined ? {} : { wwn }),
    byPath: [...found.byPath],
    isRotational: read('queue/rotational') === '1',
    isRemovable: read('removable') === '1',
    isReadOnly: read('ro') === '1',
    isBusy: found.isBusy,
    holds: found.devices.flatMap(holdingsOf),
  };
}

export interface DiskFindings {
  /** The disk itself and its partitions. */
  readonly devices: readonly ProbedDevice[];
  readonly byPath: readonly string[];
  /** Whether it, or something on it, is mounted or otherwise held open now. */
  readonly isBusy: boolean;
  /** Of a SCSI disk: page 0x80 of its vital product data, from its fourth byte on. */
  readonly vpdSerial?: string | undefined;
}

function holdingsOf({ name, signature }: ProbedDevice): readonly Holding[] {
  const { TYPE: type, LABEL: label, UUID: uuid, PART_ENTRY_NAME: partName = '', VG_NAME: group } = signature;
  const mark = DATA_MARK.test(partName)
    ? [{ kind: 'data-mark', where: name, detail: partName.slice(0, 200) } as const]
    : [];
  if (type === undefined) return mark;
  const kind = /_raid_member$|^ddf_raid|^isw_raid/.test(type) ? 'raid' : (TYPES[type] ?? 'filesystem');
  const detail = [type, group ?? label ?? uuid].filter(Boolean).join(' ').slice(0, 200);
  return [...mark, { kind, where: name, detail, ...(group === undefined ? {} : { group }) }];
}

/** `KEY=value` lines; blkid escapes what could not be printed. */
export function parseBlkidExport(text: string): ProbedSignature {
  const pairs = text.split('\n').flatMap((line) => {
    const at = line.indexOf('=');
    return at > 0 ? [[line.slice(0, at), line.slice(at + 1)] as const] : [];
  });
  return Object.fromEntries(pairs);
}

function textOf(value: string | undefined): string | undefined {
  const text = value
    ?.replace(/[^\x20-\x7e]+/g, '')
    .replace(/\s+/g, ' ')
    .trim();
  return text === undefined || text === '' ? undefined : text.slice(0, 200);
}
