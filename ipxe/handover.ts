import { SCRIPT_PATH } from './plan.ts';

/** Run from `autoexec.ipxe`, iPXE has not asked for an address yet. */
const NETWORK = 'isset ${netX/ip} || dhcp || echo Bootswarm: no address by DHCP';

/** A machine's script, for an iPXE that starts with it rather than comes to it by DHCP. */
export function asAutoexec(script: string): string {
  return script.replace('#!ipxe\n', `#!ipxe\n${NETWORK}\n`);
}

/** For an iPXE of which nobody knows whose it is: it tells itself where it asks for its script. */
export function renderHandover(httpUrl: string): string {
  return `#!ipxe\n${NETWORK}\nchain --replace ${httpUrl}${SCRIPT_PATH}\n`;
}
