/** What /sys says at a path below the device's own folder, without the line's end. */
export type ReadAt = (path: string) => string | undefined;

/**
 * The names that udev would give a disk under /dev/disk/by-path: the mini image has no udev, and operators know disks
 * by the names that their installed systems show. Pure; the names are those of systemd's path_id, told anew from what
 * it documents in udev's rules (60-persistent-storage.rules).
 * @param device the real path of /sys/block/NAME.
 * @param read a file below /sys, by its whole path.
 * @param hosts names of SCSI hosts beside the given one, that is in the same folder: they are numbered from their lowest.
 */
export function byPathNames(
  device: string,
  read: ReadAt,
  hosts: (folder: string) => readonly string[],
): readonly string[] {
  const parts = device.split('/');
  const pciAt = parts.findLastIndex((part) => /^[0-9a-f]{4,}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-9a-f]$/.test(part));
  const pci = parts[pciAt];
  if (pci === undefined) return [];
  const rest = parts.slice(pciAt + 1);
  const tails = tailsOf(rest, parts.slice(0, pciAt + 1).join('/'), read, hosts);
  return tails.map((tail) => ['pci', pci, ...(tail === '' ? [] : [tail])].join('-'));
}

function tailsOf(
  rest: readonly string[],
  pci: string,
  read: ReadAt,
  hosts: (folder: string) => readonly string[],
): readonly string[] {
  const at = (pattern: RegExp): RegExpExecArray | undefined =>
    rest.map((part) => pattern.exec(part)).findLast((match) => match !== null);
  const below = (name: string): string => `${pci}/${rest.slice(0, rest.indexOf(name) + 1).join('/')}`;

  const nvme = at(/^nvme\d+(?:c\d+)?n(\d+)$/);
  if (nvme) return [`nvme-${read(`${below(nvme[0])}/nsid`) ?? nvme[1]}`];
  const address = at(/^(\d+):(\d+):(\d+):(\d+)$/);
  const usb = at(/^\d+-([\d.]+):([\d.]+)$/);
  if (!address) return rest[0]?.startsWith('virtio') === true ? [''] : [];
  const [, host = '0', channel, target, lun] = address;
  const ata = at(/^ata(\d+)$/);
  if (ata) {
    const port = read(`${below(ata[0])}/ata_port/${ata[0]}/port_no`) ?? ata[1];
    // With the device behind a port multiplier, as newer ones say it, and without, as it was before.
    return [`ata-${port}.${target}`, `ata-${port}`];
  }
  const end = at(/^end_device-[\d:]+$/);
  if (end) {
    const sas = `${below(end[0])}/sas_device/${end[0]}`;
    const [phy, wwn] = [read(`${sas}/phy_identifier`), read(`${sas}/sas_address`)];
    return [
      ...(phy === undefined || at(/^expander-/) ? [] : [`sas-phy${phy}-lun-${lun}`]),
      ...(wwn === undefined ? [] : [`sas-${wwn}-lun-${lun}`]),
    ];
  }
  const folder = below(`host${host}`).replace(/\/[^/]*$/, '');
  const numbers = hosts(folder).map((name) => Number(name.slice(4)));
  const own = Number(host) - Math.min(Number(host), ...numbers);
  const scsi = `scsi-${own}:${channel}:${target}:${lun}`;
  return [usb ? `usb-0:${usb[1]}:${usb[2]}-${scsi}` : scsi];
}
