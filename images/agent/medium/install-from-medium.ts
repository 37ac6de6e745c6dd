import { writeFile } from 'node:fs/promises';
import { reportWhile } from '../disk-work.ts';
import type { FoundDisk } from '../inspect/collect-disks.ts';
import { type InstallParts, install } from '../install/install.ts';
import { begunDisks } from '../install/plan-machine.ts';
import { Progress } from '../install/progress.ts';
import type { InstallTerms } from '../install/terms.ts';
import { verifiedPieces } from '../release-fetch.ts';
import { failureOf } from '../work-failure.ts';
import { consent } from './consent.ts';
import { type FoundMedium, findMedium, mediumSource } from './find-medium.ts';
import { type Keys, typedLine } from './keyboard.ts';
import { type MachineFacts, mediumTerms, parseMedium } from './terms.ts';

const TELL_MS = 10_000;
const REMOVE_MS = 5_000;

export interface MediumParts
  extends Pick<InstallParts, 'firmware' | 'findDisks' | 'programs' | 'say' | 'signal' | 'wait' | 'now'> {
  /** Of the medium that the machine was started from. */
  readonly id: string;
  readonly waitSeconds: number;
  readonly facts: () => Promise<MachineFacts>;
  readonly keys: Keys;
  readonly reboot: () => Promise<void>;
}

/**
 * Installs this machine from the medium that it was started from, as an edge would have it installed, and reboots. What
 * fails stays on the console until a person has read it.
 */
export async function installFromMedium(parts: MediumParts): Promise<void> {
  const { id, say, keys, wait, reboot } = parts;
  try {
    say(`looking for medium ${id}`);
    const medium = await findMedium(id, parts);
    say(`the medium is ${medium.name}: nothing is written to it`);
    await installWith(medium, parts);
    await giveBack(medium, parts);
  } catch (error) {
    const { code, message, remedy } = failureOf(error as Error);
    say(
      code === 'medium_declined' ? `stopped: ${message}` : `FAILED: the installation (${code}): ${message}`,
    );
    if (code === 'agent_failed') say((error as Error).stack ?? '');
    say(remedy);
    say('Press Enter to reboot.');
    keys.drop();
    await typedLine(keys);
  }
  say('rebooting');
  await wait(1000);
  await reboot();
}

async function installWith(medium: FoundMedium, parts: MediumParts): Promise<void> {
  const { id, firmware, say, keys, waitSeconds, signal } = parts;
  const content = parseMedium(medium.document);
  const { manifest, files } = content;
  const order = mediumTerms(id, content, await parts.facts());
  const source = mediumSource(medium.folder, files);
  const progress = new Progress(say, parts.now);
  let found: readonly FoundDisk[] = [];
  const reporting = reportWhile(progress, { report: teller(say, parts.now), signal });
  try {
    await install({
      ...parts,
      order,
      progress,
      manifestOf: async () => manifest,
      pieces: (artefact, until, first) => verifiedPieces(source, artefact, until, first),
      findDisks: async () => {
        found = withoutMedium(await parts.findDisks(), medium);
        return found;
      },
      begin: () => consent(begunText(firmware, found, order), waitSeconds, { keys, say }),
    });
  } finally {
    await reporting.end();
  }
  say(`installed ${order.release} as ${order.machine.hostname}: ${progress.text}`);
}

/** A stick is a disk like any other, and would fit many a hint. */
export function withoutMedium(
  found: readonly FoundDisk[],
  { name }: Pick<FoundMedium, 'name'>,
): readonly FoundDisk[] {
  return found.filter(({ disk }) => disk.name !== name);
}

function begunText(
  firmware: MediumParts['firmware'],
  found: readonly FoundDisk[],
  order: InstallTerms,
): readonly string[] {
  const begun = begunDisks({ firmware, found, order, imageBytes: 0 });
  return begun.map(({ disk: { name, serial } }) =>
    serial === undefined ? name : `${name} (serial ${serial})`,
  );
}

/** Says how far the bytes of a step are, now and then. */
function teller(say: (line: string) => void, now: () => number) {
  let saidAt = now();
  return async (progress: Progress['now']): Promise<void> => {
    if (progress?.doneBytes === undefined || now() - saidAt < TELL_MS) return;
    saidAt = now();
    const { step, doneBytes, totalBytes } = progress;
    const mib = (bytes: number): string => (bytes / 2 ** 20).toFixed(0);
    say(`${step}: ${mib(doneBytes)}${totalBytes === undefined ? '' : ` of ${mib(totalBytes)}`} MiB`);
  };
}

/** A drive gives its medium out when nobody uses it any more (cdrom-standard.rst, "autoeject"); a stick has to be pulled. */
async function giveBack(medium: FoundMedium, { say, wait, signal }: MediumParts): Promise<void> {
  try {
    if (medium.isOptical) await writeFile('/proc/sys/dev/cdrom/autoeject', '1');
    await medium.unmount(signal);
  } catch (error) {
    // The machine is installed all the same.
    say((error as Error).message);
  }
  say('Take the medium out: the machine reboots from its disk.');
  await wait(REMOVE_MS);
}
