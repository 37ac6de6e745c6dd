import { type Manifest, releaseId } from '@bootswarm/images/format';
import { bytesText, tableText } from './output.ts';

/** A build folder that is ready to be published. */
export function builtText(folder: string, manifest: Manifest): string {
  return [
    `Built ${releaseId(manifest)} in ${folder}`,
    artefactsText(manifest),
    `Publish it with: bootswarm image publish ${folder}`,
  ].join('\n');
}

export function artefactsText(manifest: Manifest): string {
  return tableText(
    ['ROLE', 'NAME', 'SIZE', 'SHA-256'],
    manifest.artefacts.map(({ role, name, length, sha256 }) => [role, name, bytesText(length), sha256]),
  );
}
