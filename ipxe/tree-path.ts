/** Where the boot tree has what the edge serves at `url`: `/artefacts/SHA-256/NAME`, the same by TFTP and HTTP. */
export function pathOfUrl(url: string): string {
  return url.replace(/^[a-z]+:\/\/[^/]+/, '');
}
