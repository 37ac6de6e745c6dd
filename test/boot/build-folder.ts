import { mkdirSync, writeFileSync } from 'node:fs';
import { artefactTorrent, isSwarmed, type Manifest, torrentDigestOf } from '@bootswarm/images/format';

export interface BuildFiles {
  readonly kernel: Uint8Array;
  readonly initramfs: Uint8Array;
  readonly root: Uint8Array;
}

const NAMES = { kernel: 'vmlinuz', initramfs: 'initrd.img', root: 'root.squashfs' } as const;
const ROLES = ['kernel', 'initramfs', 'root'] as const;

/** Writes a build folder as `bootswarm image publish` takes it, without building an image. */
export function writeBuildFolder(
  folder: string,
  files: BuildFiles,
  kernelArguments: readonly string[] = ['boot=live'],
  version = '1',
): Promise<Manifest> {
  return writeRelease(folder, files, {
    ...{ name: 'interop', version, bootStyle: 'live-boot' },
    kernelArguments: [...kernelArguments],
  });
}

/** The same of any name and boot style, which may need fewer files. */
export async function writeRelease(
  folder: string,
  files: Partial<BuildFiles>,
  facts: Pick<Manifest, 'name' | 'version' | 'bootStyle' | 'kernelArguments'>,
): Promise<Manifest> {
  mkdirSync(folder);
  const artefacts: Manifest['artefacts'] = [];
  for (const role of ROLES) {
    const [name, bytes] = [NAMES[role], files[role]];
    if (!bytes) continue;
    writeFileSync(`${folder}/${name}`, bytes);
    const { pieces, sha1Pieces, ...digest } = await torrentDigestOf(ReadableStream.from([bytes]));
    const { infohash } = artefactTorrent(digest, sha1Pieces);
    const swarm = isSwarmed(role) ? { infohash } : {};
    artefacts.push({ role, name, ...digest, pieces: [...pieces], ...swarm });
  }
  const manifest: Manifest = { format: 1, ...facts, architecture: 'amd64', artefacts };
  writeFileSync(`${folder}/manifest.json`, JSON.stringify(manifest));
  return manifest;
}
