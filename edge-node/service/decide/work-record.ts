import type { JournalRecord } from '@bootswarm/controller/contract';
import { type DiskWork, failureCause, isOver } from './work-step.ts';

type Unnumbered = Omit<JournalRecord, 'seq'>;

/** What the journal says of work on disks when it comes to stand as it does. Pure. */
export function workRecord(work: DiskWork): Unnumbered {
  const { kind, epoch, state, detail, whose, atMs, firstBoot } = work;
  const told = {
    at: new Date(atMs).toISOString(),
    ...whose,
    ...(epoch > 0 ? { epoch } : {}),
  };
  const spent = epoch > 0 ? { spentEpoch: epoch } : {};
  // Of a system that nobody told to be done before, this is the first word of that.
  if (firstBoot?.state === 'heard')
    return { ...told, stage: 'first-boot', ...spent, detail: shortOf(detail) };
  if (firstBoot?.state === 'missed') {
    const minutes = Math.round((firstBoot.dueMs - atMs) / 60_000);
    return {
      ...told,
      at: new Date(Math.max(firstBoot.dueMs, atMs)).toISOString(),
      stage: 'first-boot',
      cause: 'no_first_boot',
      detail: `the installed system did not say within ${minutes} min that it is up`,
    };
  }
  switch (state) {
    case 'begun':
      return { ...told, stage: kind, detail: shortOf(detail) };
    case 'done':
      return { ...told, stage: kind, ...spent, detail: shortOf(detail) };
    case 'failed': {
      const over = isOver(work);
      const next = over ? 'nothing more is tried' : 'another try follows';
      const said = [work.cause, detail].filter(Boolean).join(': ');
      return {
        ...told,
        stage: kind,
        cause: failureCause(work),
        ...(over ? spent : {}),
        detail: shortOf(`try ${work.attempts}: ${said}`, `; ${next}`),
      };
    }
  }
}

/** As much as a record may say, with its end. */
function shortOf(text: string, end = ''): string {
  return text.slice(0, 500 - end.length) + end;
}
