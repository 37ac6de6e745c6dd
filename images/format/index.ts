/** What a release is, byte by byte: the manifest, piece arithmetic, digests and signatures. */
export { BOOT_ROLES, BOOT_STYLES, type BootRole, BootStyle, isBootRole } from './boot-style.ts';
export { type Digest, digestOf, sha256Of } from './digest.ts';
export {
  Architecture,
  Artefact,
  ArtefactRole,
  artefactOf,
  edgeArtefacts,
  findArtefact,
  KernelArgument,
  Manifest,
  PIECE_BYTES,
  pieceCount,
  pieceRange,
  type ReleaseId,
  ReleaseName,
  ReleaseVersion,
  releaseId,
  Sha256,
} from './manifest.ts';
export { defineProblems, type Facts, Problem, type ProblemBody, type ProblemDetail } from './problem.ts';
export { makeSigningKey, Signed, type SigningKey, signText, verifySigned } from './signature.ts';
