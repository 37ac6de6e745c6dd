import { z } from 'zod';
import { BOOT_ROLES, BOOT_STYLES, BootStyle } from './boot-style.ts';

/** Bytes of every piece but the last. 1 MiB: one read, one hash and one request each (measurements.md). */
export const PIECE_BYTES = 1024 * 1024;

export const Sha256 = z.string().regex(/^[0-9a-f]{64}$/, 'must be 64 lower-case hexadecimal digits');

/** SHA-1 of a torrent's info dictionary (BEP 3). */
export const Infohash = z.string().regex(/^[0-9a-f]{40}$/, 'must be 40 lower-case hexadecimal digits');

/** `name` and `version` of a release end up in paths and URLs, hence the narrow alphabet. */
export const ReleaseName = z
  .string()
  .regex(/^[a-z0-9][a-z0-9._-]{0,62}$/, 'must be 1 to 63 of a-z 0-9 . _ - and start with a letter or digit');
export const ReleaseVersion = z
  .string()
  .regex(
    /^[A-Za-z0-9][A-Za-z0-9._+~-]{0,62}$/,
    'must be 1 to 63 of A-Z a-z 0-9 . _ + ~ - and start with a letter or digit',
  );
export const Architecture = z.enum(['amd64', 'arm64']);
export type Architecture = z.infer<typeof Architecture>;

/**
 * What an artefact is for: what machines boot from (`kernel`, `initramfs`, `root`), an installer's repository (`tree`,
 * with `tree-index`: where each of its files stands in it), and what is for operators (`disk`, `iso`, `contents`: the
 * packages and files of the root) or for edges alone (`chunks`: which parts of the root an earlier release has too).
 */
export const ArtefactRole = z.enum([
  ...BOOT_ROLES,
  'tree',
  'tree-index',
  'chunks',
  'contents',
  'disk',
  'iso',
]);
export type ArtefactRole = z.infer<typeof ArtefactRole>;

/**
 * One argument of the kernel's command line: printable ASCII without blanks. iPXE reads the command line first:
 * to it `||`, `&&` and `;` are operators, `#` begins a comment, and `${` a setting of its own.
 */
export const KernelArgument = z
  .string()
  .regex(/^[\x21-\x7e]{1,256}$/, 'must be printable ASCII without blanks')
  .regex(/^(?!\|\|$|&&$|;$|#)/, 'must not be || && ; or begin with #, which iPXE takes for itself')
  .regex(/^(?!.*\$\{)/, 'must not hold ${, which iPXE takes for itself');

/** What machines fetch from each other: the large ones of which each needs all. */
const SWARMED_ROLES: ReadonlySet<ArtefactRole> = new Set(['root', 'disk']);

export function isSwarmed(role: ArtefactRole): boolean {
  return SWARMED_ROLES.has(role);
}

const OPERATORS_ROLES: ReadonlySet<ArtefactRole> = new Set(['contents', 'disk', 'iso']);

export const Artefact = z
  .strictObject({
    role: ArtefactRole,
    /** File name as machines ask for it, such as `root.squashfs`. */
    name: z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/, 'must be a plain file name'),
    /** Bytes. */
    length: z.int().positive(),
    sha256: Sha256,
    /** Bytes of every piece but the last. */
    pieceBytes: z
      .int()
      .min(16 * 1024)
      .max(64 * 1024 * 1024),
    /** SHA-256 of each piece, in order. */
    pieces: z.array(Sha256).min(1),
    /** Of its swarm. What has none is fetched by HTTP alone, as all was before there were swarms. */
    infohash: Infohash.optional(),
  })
  .refine((artefact) => artefact.pieces.length === pieceCount(artefact.length, artefact.pieceBytes), {
    path: ['pieces'],
    message: 'must hold one hash for each piece of the artefact',
  });
export type Artefact = z.infer<typeof Artefact>;

/** A release's description: everything an edge or a machine needs to fetch and check it. */
export const Manifest = z
  .strictObject({
    format: z.literal(1),
    name: ReleaseName,
    version: ReleaseVersion,
    architecture: Architecture,
    bootStyle: BootStyle,
    /** What the artefact `root` is; a squashfs where it is left out. A nested one holds one file that is the file system. */
    rootFormat: z.enum(['squashfs', 'nested', 'iso']).optional(),
    kernelArguments: z.array(KernelArgument).max(64),
    artefacts: z.array(Artefact).min(1).max(16),
  })
  .refine((manifest) => new Set(manifest.artefacts.map((a) => a.role)).size === manifest.artefacts.length, {
    path: ['artefacts'],
    message: 'must not hold two artefacts of one role',
  })
  .superRefine(({ bootStyle, artefacts }, context) => {
    const missing = BOOT_STYLES[bootStyle].needs.filter((role) => !artefacts.some((a) => a.role === role));
    if (missing.length > 0)
      context.addIssue({
        code: 'custom',
        path: ['artefacts'],
        message: `must hold ${missing.join(', ')} for boot style ${bootStyle}`,
      });
  });
export type Manifest = z.infer<typeof Manifest>;

/** `NAME/VERSION/ARCHITECTURE`, how operators write a release. */
export type ReleaseId = string;

export function releaseId(release: Pick<Manifest, 'name' | 'version' | 'architecture'>): ReleaseId {
  return `${release.name}/${release.version}/${release.architecture}`;
}

export function pieceCount(length: number, pieceBytes: number): number {
  return Math.ceil(length / pieceBytes);
}

/** Half-open byte range `[start, end)` of piece `index`. */
export function pieceRange(
  artefact: Pick<Artefact, 'length' | 'pieceBytes'>,
  index: number,
): { readonly start: number; readonly end: number } {
  const start = index * artefact.pieceBytes;
  return { start, end: Math.min(start + artefact.pieceBytes, artefact.length) };
}

/** Artefacts that an edge holds; the others are for operators. A disk image is installed where there is no root. */
export function edgeArtefacts(manifest: Manifest): readonly Artefact[] {
  const hasRoot = findArtefact(manifest, 'root') !== undefined;
  return manifest.artefacts.filter(({ role }) => !OPERATORS_ROLES.has(role) || (role === 'disk' && !hasRoot));
}

export function findArtefact(manifest: Manifest, role: ArtefactRole): Artefact | undefined {
  return manifest.artefacts.find((artefact) => artefact.role === role);
}

/** The artefact of a role that the boot style promises. */
export function artefactOf(manifest: Manifest, role: ArtefactRole): Artefact {
  const found = findArtefact(manifest, role);
  if (found === undefined) throw new TypeError(`manifest of ${releaseId(manifest)} holds no ${role}`);
  return found;
}
