import type {
  Inspection,
  InspectionChange,
  InspectionSummary,
  KeptInspection,
} from '@bootswarm/controller/contract';
import { bytesText, factsText, tableText } from './output.ts';

type Facts = Readonly<Record<string, string | undefined>>;

/** What was found out about a machine, as a person reads it; `--json` has all of it. */
export function inspectionText(
  { number, edge, inspection }: KeptInspection,
  kept: readonly InspectionSummary[],
  now: Date,
): string {
  const { takenAt, system, processors, memory, firmware, secureBoot, bmc } = inspection;
  const modules = memory.modules.filter(({ sizeMib }) => sizeMib > 0);
  const facts: Facts = {
    inspection: `${number} of ${takenAt}, ${ageText(takenAt, now)} ago, by edge ${edge}`,
    system: joined([system.manufacturer, system.product, system.serial && `serial ${system.serial}`]),
    firmware: joined([
      firmware === 'uefi' ? 'UEFI' : 'BIOS',
      secureBoot && `Secure Boot ${secureBoot}`,
      system.biosVendor,
      system.biosVersion,
      system.biosDate,
    ]),
    processors: joined([
      processors.model,
      `${processors.sockets} sockets, ${processors.cores} cores, ${processors.threads} threads`,
    ]),
    memory: `${(memory.totalBytes / 2 ** 30).toFixed(1)} GiB${modules.length === 0 ? '' : ` in ${modules.length} modules`}`,
    bmc: bmc && joined([bmc.address, bmc.mac, bmc.isDhcp === true ? 'by DHCP' : undefined]),
    'boots first': inspection.bootOrder.find(({ isActive }) => isActive)?.label,
  };
  return [
    factsText(facts),
    disksText(inspection),
    cardsText(inspection),
    ...(kept.length > 1
      ? [`Kept: ${kept.map((each) => `${each.number} (${each.takenAt})`).join(', ')}`]
      : []),
  ].join('\n\n');
}

function disksText({ disks }: Inspection): string {
  if (disks.length === 0) return 'No disks.';
  return tableText(
    ['DISK', 'SIZE', 'MODEL', 'SERIAL', 'WWN', 'HOLDS'],
    disks.map(({ name, sizeBytes, model, serial, wwn, isRotational, holds }) => [
      name,
      `${bytesText(sizeBytes)}${isRotational ? ' rotating' : ''}`,
      model ?? '-',
      serial ?? '-',
      wwn ?? '-',
      holds.map(({ kind, where }) => `${kind} (${where})`).join(', ') || '-',
    ]),
  );
}

function cardsText({ cards }: Inspection): string {
  if (cards.length === 0) return 'No network cards.';
  return tableText(
    ['CARD', 'MAC', 'DRIVER', 'LINK', 'CABLED TO'],
    cards.map(({ name, mac, driver, speedMbitPerS, hasLink, neighbours }) => [
      name,
      mac,
      driver ?? '-',
      hasLink ? (speedMbitPerS === undefined ? 'up' : `${speedMbitPerS} Mbit/s`) : 'none',
      neighbours
        .map(({ systemName, chassis, port, vlan }) =>
          joined([`${systemName ?? chassis} ${port}`, vlan === undefined ? undefined : `VLAN ${vlan}`]),
        )
        .join('; ') || '-',
    ]),
  );
}

export function changesText(
  before: KeptInspection,
  after: KeptInspection,
  changes: readonly InspectionChange[],
): string {
  const between = `inspection ${before.number} of ${before.inspection.takenAt} and ${after.number} of ${after.inspection.takenAt}`;
  if (changes.length === 0) return `Nothing changed between ${between}.`;
  const rows = changes.map((each) => [each.where, each.before ?? '-', each.after ?? '-']);
  return `What changed between ${between}:\n\n${tableText(['WHAT', 'BEFORE', 'AFTER'], rows)}`;
}

/** `3 days`, `2 hours`, `5 minutes`: the largest unit of which there are two. */
export function ageText(at: string, now: Date): string {
  const seconds = Math.max(0, Math.round((now.getTime() - Date.parse(at)) / 1000));
  const units = { days: 86_400, hours: 3600, minutes: 60, seconds: 1 };
  const [unit, length] = Object.entries(units).find(([, each]) => seconds >= 2 * each) ?? ['seconds', 1];
  return `${Math.floor(seconds / length)} ${unit}`;
}

function joined(parts: readonly (string | undefined)[]): string {
  return parts.filter((part) => part !== undefined && part !== '').join(', ');
}
