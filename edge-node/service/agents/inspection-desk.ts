import type { Inspection } from '@bootswarm/controller/contract';
import type { Lease } from '../decide/lease.ts';
import type { InspectionQueue } from '../state/inspection-queue.ts';

export interface InspectionDeskParts {
  readonly queue: Pick<InspectionQueue, 'add'>;
  /** Journals that it came. */
  readonly tell: (lease: Lease, detail: string) => void;
}

/** Where agents bring what they found out about their machines, for the controller. */
export class InspectionDesk {
  readonly #parts: InspectionDeskParts;

  constructor(parts: InspectionDeskParts) {
    this.#parts = parts;
  }

  /** Durable here when it resolves. @throws Problem disk_full */
  async take(lease: Lease, inspection: Inspection): Promise<void> {
    const { mac, uuid, segment } = lease;
    await this.#parts.queue.add({
      mac,
      ...(uuid === undefined ? {} : { uuid }),
      segment,
      inspection,
    });
    const { disks, cards, processors } = inspection;
    this.#parts.tell(
      lease,
      `inspected: ${disks.length} disks, ${cards.length} cards, ${processors.threads} processors`,
    );
  }
}
