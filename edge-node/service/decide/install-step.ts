/** How often an installer is started for one epoch: a power cut may hit the first ones, a loop must end. */
const ATTEMPTS_MOST = 3;
/** GRUB and PXELINUX ask for several names of their configuration, and iPXE again where a link was slow: one boot. */
const SAME_ATTEMPT_MS = 20_000;
/** Installers ask for their answers once or a few times in a row; nobody else is to read them afterwards. */
const ANSWERS_OPEN_MS = 60 * 60_000;

/** What an edge remembers of a machine's single-use intent. Durable: an epoch is never done twice. */
export interface InstallProgress {
  readonly epoch: number;
  /** How often the installer was started. */
  readonly attempts: number;
  /** Milliseconds of Unix time, as the other times here. */
  readonly attemptAtMs: number;
  /** To which the installer was given. */
  readonly address: string;
  /** `answered`: the installer has its answers, so that the disk may be written to from now on. */
  readonly ended?: 'answered' | 'given up';
  readonly endedAtMs?: number;
}

/** An intent that writes to a disk, as the controller armed it. */
export interface ArmedIntent {
  readonly epoch?: number | undefined;
  /** Highest epoch that is over, as far as the controller heard. */
  readonly spentEpoch?: number | undefined;
}

export type InstallStep =
  /** `progress` must be durable before the machine is told anything. */
  | { readonly kind: 'start'; readonly progress: InstallProgress; readonly isNew: boolean }
  | { readonly kind: 'given up'; readonly progress: InstallProgress; readonly isNew: boolean }
  /** To the local disk. */
  | { readonly kind: 'spent'; readonly reason: string };

/** What comes of an armed intent when its machine boots. Pure. */
export function nextInstallStep(
  { epoch = 0, spentEpoch = 0 }: ArmedIntent,
  held: InstallProgress | undefined,
  { address, nowMs }: { readonly address: string; readonly nowMs: number },
): InstallStep {
  if (held && held.epoch > epoch)
    return { kind: 'spent', reason: `this edge has gone on to epoch ${held.epoch} of this machine already` };
  const before = held?.epoch === epoch ? held : undefined;
  if (before?.ended === 'given up') return { kind: 'given up', progress: before, isNew: false };
  if (before?.ended === 'answered')
    return { kind: 'spent', reason: `the installer of epoch ${epoch} has had its answers` };
  if (spentEpoch >= epoch) return { kind: 'spent', reason: `epoch ${epoch} was used up at an edge` };
  const sinceMs = before ? nowMs - before.attemptAtMs : Number.POSITIVE_INFINITY;
  if (before && sinceMs >= 0 && sinceMs < SAME_ATTEMPT_MS && before.address === address)
    return { kind: 'start', progress: before, isNew: false };
  const attempts = before?.attempts ?? 0;
  if (before && attempts >= ATTEMPTS_MOST)
    return { kind: 'given up', progress: { ...before, ended: 'given up', endedAtMs: nowMs }, isNew: true };
  return {
    kind: 'start',
    progress: { epoch, attempts: attempts + 1, attemptAtMs: nowMs, address },
    isNew: true,
  };
}

/** Whether an installer may have its answers: it was started for this epoch, and not too long ago. */
export function mayHaveAnswers(
  { epoch = 0 }: ArmedIntent,
  held: InstallProgress | undefined,
  nowMs: number,
): boolean {
  if (held?.epoch !== epoch || held.ended === 'given up') return false;
  return held.endedAtMs === undefined || nowMs - held.endedAtMs < ANSWERS_OPEN_MS;
}

/** What is remembered once the answers leave. */
export function answered(held: InstallProgress, nowMs: number): InstallProgress {
  return held.ended === undefined ? { ...held, ended: 'answered', endedAtMs: nowMs } : held;
}

/** What is remembered where they broke off on the way: the installer could not begin. */
export function unanswered({ epoch, attempts, attemptAtMs, address }: InstallProgress): InstallProgress {
  return { epoch, attempts, attemptAtMs, address };
}
