import { createHmac, timingSafeEqual } from 'node:crypto';
import type { TicketClaims } from '../decide/work-step.ts';

/** In characters of base64url, which stand for 6 bits each: 132 bits. */
const SIGNATURE_CHARACTERS = 22;

/** Makes and reads what agents and installed systems show; only this edge can make it. */
export class Tickets {
  readonly #secret: string;

  constructor(secret: string) {
    this.#secret = secret;
  }

  /** With which work may begin. The claims stand in it readably; ids and names of segments have no dot. */
  workTicket({ machineId, segment, epoch, attempt, issuedAtMs }: TicketClaims): string {
    const said = [machineId, segment, epoch, attempt, issuedAtMs].join('.');
    return `${said}.${this.#sign('work', said)}`;
  }

  /** What a ticket says; undefined where this edge did not make it. */
  readWorkTicket(ticket: string): TicketClaims | undefined {
    const said = this.#read('work', ticket);
    const [machineId, segment, epoch, attempt, issuedAtMs] = said?.split('.') ?? [];
    if (machineId === undefined || segment === undefined) return undefined;
    return {
      machineId,
      segment,
      epoch: Number(epoch),
      attempt: Number(attempt),
      issuedAtMs: Number(issuedAtMs),
    };
  }

  /** With which the installed system says that it is up. It holds as long as the epoch does. */
  firstBootTicket(machineId: string, epoch: number): string {
    const said = `${machineId}.${epoch}`;
    return `${said}.${this.#sign('first boot', said)}`;
  }

  /** Whose first boot it is; undefined where this edge did not make the ticket. */
  readFirstBootTicket(ticket: string): { readonly machineId: string; readonly epoch: number } | undefined {
    const [machineId, epoch] = this.#read('first boot', ticket)?.split('.') ?? [];
    return machineId === undefined ? undefined : { machineId, epoch: Number(epoch) };
  }

  #read(use: string, ticket: string): string | undefined {
    const at = ticket.lastIndexOf('.');
    const said = ticket.slice(0, Math.max(at, 0));
    return isSame(ticket.slice(at + 1), this.#sign(use, said)) ? said : undefined;
  }

  #sign(use: string, said: string): string {
    const signature = createHmac('sha256', this.#secret).update(`${use} ${said}`).digest('base64url');
    return signature.slice(0, SIGNATURE_CHARACTERS);
  }
}

function isSame(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)];
  return left.length === right.length && timingSafeEqual(left, right);
}
