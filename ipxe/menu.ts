import type { BootPlan, Whereabouts } from './plan.ts';

const FAILED_SECONDS = 10;

/**
 * A menu whose entries ask the edge for what was picked, so that the edge decides and journals each boot. A locked
 * entry asks for its password here, and the edge compares it.
 */
export function renderMenu(plan: BootPlan & { kind: 'menu' }, where: Whereabouts): readonly string[] {
  const { title, timeoutSeconds, entries, scriptUrl } = plan;
  const timeout = timeoutSeconds === 0 ? '' : `--timeout ${timeoutSeconds * 1000} `;
  return [
    ':start',
    `menu ${title} - segment ${where.segment}`,
    ...entries.map(({ label }, index) => `item entry${index} ${label}`),
    // Without a password at hand the default must be one that needs none.
    `choose ${timeout}--default entry${defaultEntry(entries)} picked || goto start`,
    'goto ${picked}',
    ...entries.flatMap(({ isLocked }, index) => [
      `:entry${index}`,
      ...(isLocked ? ['login || goto start'] : []),
      `chain --replace ${scriptUrl}&entry=${index}${isLocked ? '&password=${password:uristring}' : ''} || goto failed`,
    ]),
    ':failed',
    `echo Bootswarm: the edge ${where.edge} does not answer. Back to the menu in ${FAILED_SECONDS} s.`,
    `sleep ${FAILED_SECONDS}`,
    'goto start',
  ];
}

export function renderRefused({ scriptUrl }: BootPlan & { kind: 'refused' }): readonly string[] {
  return [
    'echo Bootswarm: this is not the password of the menu.',
    'clear password',
    'sleep 3',
    ':again',
    `chain --replace ${scriptUrl} ||`,
    'sleep 3',
    'goto again',
  ];
}

/** From a drive that iPXE feigns: what reads it by drivers of its own does not see it any more. */
export function renderIso({ label, url }: BootPlan & { kind: 'iso' }, where: Whereabouts): readonly string[] {
  return [
    `echo Bootswarm: booting ${label}`,
    `sanboot --no-describe ${url} ||`,
    ...renderGivenUp(`${label} does not boot`, where),
  ];
}

export function renderMemtest(
  { firmwareUrl }: BootPlan & { kind: 'memtest' },
  where: Whereabouts,
): readonly string[] {
  return [
    'echo Bootswarm: loading memtest86+',
    'iseq ${platform} efi && set memtest memtest.efi || set memtest memtest.bin',
    `kernel ${firmwareUrl}/\${memtest} || goto failed`,
    'boot ||',
    ':failed',
    ...renderGivenUp('memtest86+ does not boot; the edge needs the package memtest86+', where),
  ];
}

function renderGivenUp(what: string, { edge, segment }: Whereabouts): readonly string[] {
  return [
    `echo Bootswarm: ${what} (segment ${segment}, edge ${edge}).`,
    `prompt --timeout ${FAILED_SECONDS * 1000} Press a key for the iPXE shell. && shell ||`,
    'exit 1',
  ];
}

function defaultEntry(entries: readonly { readonly isLocked: boolean }[]): number {
  return Math.max(
    entries.findIndex(({ isLocked }) => !isLocked),
    0,
  );
}
