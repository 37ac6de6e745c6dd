import type { Artefact } from '@bootswarm/images/format';

/** A piece came whose SHA-256 is not the manifest's. Nothing of it was kept. */
export class WrongPiece extends Error {
  override readonly name = 'WrongPiece';
  readonly index: number;

  constructor(artefact: Artefact, index: number) {
    super(`piece ${index} of ${artefact.name} has the wrong SHA-256`);
    this.index = index;
  }
}

/** All pieces were right and the whole is not: the manifest contradicts itself. */
export class WrongWhole extends Error {
  override readonly name = 'WrongWhole';

  constructor({ name }: Artefact, actualSha256: string) {
    super(
      `${name} has SHA-256 ${actualSha256} although all its pieces were right: the manifest contradicts itself`,
    );
  }
}

/** Whether a fetch failed because the bytes that came are not those of the manifest. */
export function isWrongHash(error: unknown): boolean {
  return error instanceof WrongPiece || error instanceof WrongWhole;
}
