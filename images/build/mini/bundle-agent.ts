import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { build } from 'esbuild';

const AGENT = join(import.meta.dirname, '../../agent/main.ts');
const INIT = join(import.meta.dirname, 'init');
const DHCP_SCRIPT = join(import.meta.dirname, '../../agent/udhcpc-script');

export interface BundledAgent {
  /** One ECMAScript module. */
  readonly code: Uint8Array;
  /** The shell script that the kernel starts. */
  readonly init: Uint8Array;
  /** What udhcpc calls with the address that it got. */
  readonly dhcpScript: Uint8Array;
  readonly version: string;
}

/** The agent with all that it imports as one file: the same sources give the same bytes. */
export async function bundleAgent(): Promise<BundledAgent> {
  const text = await readFile(join(import.meta.dirname, '../../package.json'), 'utf8');
  const { version } = JSON.parse(text) as { version: string };
  const { outputFiles } = await build({
    entryPoints: [AGENT],
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node24',
    minifySyntax: true,
    minifyWhitespace: true,
    // Stack traces on a console are read by people.
    keepNames: true,
    legalComments: 'none',
    logLevel: 'silent',
    write: false,
    define: { 'process.env.BOOTSWARM_AGENT_VERSION': JSON.stringify(version) },
    // What of npm is CommonJS asks for Node's own modules by `require`.
    banner: {
      js: "import { createRequire as makeRequire } from 'node:module'; const require = makeRequire(import.meta.url);",
    },
  });
  return {
    code: outputFiles[0]?.contents ?? new Uint8Array(),
    init: await readFile(INIT),
    dhcpScript: await readFile(DHCP_SCRIPT),
    version,
  };
}
