import { open } from 'node:fs/promises';
import { type Artefact, pieceRange, sha256Of } from '@bootswarm/images/format';
import type { ArtefactFolder } from '@bootswarm/images/swarm';
import { pause } from './forever.ts';

/** One piece is read in so long: a disk hardly feels it, and 2 GB are gone through in half an hour. */
const PIECE_MS = 1000;
/** Whether the files are there, and as long as they should be, is looked at every so many pieces. */
const PIECES_PER_LOOK = 15;

export interface AuditParts {
  readonly folder: ArtefactFolder;
  /** What is attested now. */
  readonly attested: () => readonly Artefact[];
  /** Told that one is not as it was attested. */
  readonly onLost: (artefact: Artefact, why: string) => Promise<void>;
  readonly pieceMs?: number;
}

/** Sees that what an edge attests is so: files vanish, and disks forget. It reads on and on, slowly. */
export class ArtefactAudit {
  readonly #parts: AuditParts;
  #at: { readonly sha256: string; readonly index: number } | undefined;

  constructor(parts: AuditParts) {
    this.#parts = parts;
  }

  /** Until `signal` ends it. @throws what `onLost` throws. */
  async run(signal: AbortSignal): Promise<void> {
    const { pieceMs = PIECE_MS } = this.#parts;
    for (let turn = 0; !signal.aborted; turn++) {
      if (turn % PIECES_PER_LOOK === 0) await this.#lookAtAll();
      await this.#readNext();
      await pause(pieceMs, signal);
    }
  }

  async #lookAtAll(): Promise<void> {
    for (const artefact of this.#parts.attested()) await this.#isThere(artefact);
  }

  async #isThere(artefact: Artefact): Promise<boolean> {
    const { folder, onLost } = this.#parts;
    const length = await folder.lengthOf(artefact.sha256).catch(() => undefined);
    if (length === artefact.length) return true;
    const found = length === undefined ? 'is gone from' : `has ${length} bytes on`;
    await onLost(artefact, `${artefact.name} ${found} the disk of this edge`);
    return false;
  }

  async #readNext(): Promise<void> {
    const { attested, folder, onLost } = this.#parts;
    const artefacts = attested();
    const place = artefacts.findIndex(({ sha256 }) => sha256 === this.#at?.sha256);
    const artefact = artefacts[Math.max(place, 0)];
    if (!artefact) return;
    const index = place === -1 ? 0 : (this.#at?.index ?? 0);
    const isLast = index + 1 >= artefact.pieces.length;
    const following = artefacts[(Math.max(place, 0) + 1) % artefacts.length] ?? artefact;
    this.#at = !isLast
      ? { sha256: artefact.sha256, index: index + 1 }
      : { sha256: following.sha256, index: 0 };
    if (!(await this.#isThere(artefact))) return;
    const { start, end } = pieceRange(artefact, index);
    const bytes = await readPart(folder.pathOf(artefact.sha256), start, end - start).catch(() => undefined);
    if (bytes !== undefined && sha256Of(bytes) === artefact.pieces[index]) return;
    await onLost(artefact, `piece ${index} of ${artefact.name} is damaged on the disk of this edge`);
  }
}

/** Shorter where the file is. */
async function readPart(path: string, start: number, length: number): Promise<Uint8Array> {
  await using file = await open(path, 'r');
  const bytes = new Uint8Array(length);
  let filled = 0;
  while (filled < length) {
    const { bytesRead } = await file.read(bytes, filled, length - filled, start + filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return bytes.subarray(0, filled);
}
