import { createHash } from 'node:crypto';
import type { AgentReport } from '@bootswarm/controller/contract';

/** What the edge remembers of an agent: whether its next report is news. */
export interface HeardAgent {
  readonly key: string;
  readonly uptimeSeconds: number;
}

const GIB = 1024 ** 3;
const DETAIL_MOST = 500;

/**
 * What a report says that the last one did not: another stage, other facts, another address, another boot. An agent
 * repeats itself each minute, and a journal is not for that.
 * @returns undefined where there is nothing new.
 */
export function newsOf(report: AgentReport, before: HeardAgent | undefined): string | undefined {
  const { key } = heardOf(report);
  const isSameBoot = before !== undefined && before.uptimeSeconds <= report.uptimeSeconds;
  return isSameBoot && before.key === key ? undefined : newsText(report);
}

export function heardOf({
  stage,
  detail,
  facts,
  addresses,
  uptimeSeconds,
  version,
  progress,
}: AgentReport): HeardAgent {
  // Of work a new step is news, and not how far it is.
  const about = progress === undefined ? detail : [progress.step, progress.swarm?.banned ?? []];
  const text = JSON.stringify([stage, about, facts, addresses, version]);
  return { key: createHash('sha256').update(text).digest('hex'), uptimeSeconds };
}

function newsText({
  version,
  kernel,
  uptimeSeconds,
  memoryBytes,
  stage,
  detail,
  facts,
  progress,
}: AgentReport): string {
  if (progress !== undefined) {
    const { step, swarm } = progress;
    const banned =
      swarm && swarm.banned.length > 0 ? `; wrong pieces came from ${swarm.banned.join(', ')}` : '';
    return `${step}: ${detail}${banned}`.slice(0, DETAIL_MOST);
  }
  const since = `agent ${version} (kernel ${kernel}), ${Math.round(uptimeSeconds)} s after its start`;
  const machine = facts === undefined ? [] : [machineText(facts, memoryBytes)];
  return [`${stage}: ${detail}`, ...machine, since].join('; ').slice(0, DETAIL_MOST);
}

function machineText(facts: NonNullable<AgentReport['facts']>, memoryBytes: number): string {
  const { manufacturer, product, serial, firmware, processors, cards, disks } = facts;
  const name = [manufacturer, product].filter(Boolean).join(' ') || 'a machine without a name';
  const linked = cards.filter(({ hasLink }) => hasLink).length;
  const diskTexts = disks.map((disk) => `${disk.name} ${(disk.bytes / 1e9).toFixed(1)} GB`);
  return [
    serial === undefined ? name : `${name}, serial ${serial}`,
    `${firmware === 'uefi' ? 'UEFI' : 'BIOS'}, ${processors} processors, ${(memoryBytes / GIB).toFixed(1)} GiB`,
    `${cards.length} cards (${linked} with a link)`,
    `disks: ${diskTexts.join(', ') || 'none'}`,
  ].join(', ');
}
