import { execFile } from 'node:child_process';
import { mkdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { buildMini, Site } from '../boot/index.ts';
import { Lab, type Segment } from '../lab/index.ts';
import type { Bench, Measurement } from './bench.ts';

const LIMIT_MB = 50;
const INSTALLER = 'debian-installer-12-netboot-amd64';
const INSTALLER_FOLDER = 'usr/lib/debian-installer/images/12/amd64/text/debian-installer/amd64';
/** Early, so that the kernel's first line is there when it starts. */
const CONSOLE = 'console=ttyS0,115200n8 earlyprintk=ttyS0,115200n8';
const KERNEL_SPEAKS = /Linux version \d/;
const BOOT_MS = 300_000;

interface Kernel {
  readonly kernel: string;
  readonly initramfs: string;
  /** What the console says when it is there. */
  readonly ready: RegExp;
}

/** The mini image: its size against the limit, and its start beside Debian's installer, which fetches as little. */
export const miniBench: Bench = {
  name: 'mini',
  summary:
    "the mini image: MB against the limit, and seconds to the agent's report beside Debian's netboot initrd",
  better: { size_mb: 'less', seconds: 'less' },
  async prepare(say) {
    const lab = await Lab.create('bench-mini');
    try {
      say('building both flavours of the mini image: 3 to 8 minutes');
      const [full, vm] = [join(lab.folder, 'full'), join(lab.folder, 'vm')];
      await buildMini('full', full);
      await buildMini('vm', vm);
      const segment = await startEdge(lab);
      const ours: Kernel = {
        kernel: join(vm, 'vmlinuz'),
        initramfs: join(vm, 'initrd.img'),
        ready: /reported to the edge/,
      };
      const installer = await debianInstaller(lab);
      return {
        cases: [
          {
            name: 'full',
            subjects: { ours: async () => sizeOf(full), limit: async () => ({ size_mb: LIMIT_MB }) },
          },
          {
            name: 'vm',
            subjects: {
              ours: () => start(segment, ours),
              'debian-installer': () => start(segment, installer),
            },
          },
        ],
        [Symbol.asyncDispose]: () => lab[Symbol.asyncDispose](),
      };
    } catch (error) {
      await lab[Symbol.asyncDispose]();
      throw error;
    }
  },
};

function sizeOf(folder: string): Measurement {
  const sizes = ['vmlinuz', 'initrd.img'].map((name) => statSync(join(folder, name)).size);
  return { size_mb: sizes.reduce((sum, size) => sum + size, 0) / 1e6 };
}

/** A segment whose edge the agent finds by DHCP. */
async function startEdge(lab: Lab): Promise<Segment> {
  const segment = await lab.addSegment({ relay: 'none' });
  const site = await Site.start(lab);
  await site.addEdge('edge1', segment.coreInterface ?? '');
  await site.addSegment(segment, 'edge1');
  return segment;
}

async function debianInstaller(lab: Lab): Promise<Kernel> {
  const folder = join(lab.folder, 'installer');
  mkdirSync(folder);
  const steps = `cd '${folder}' && apt-get download -qq ${INSTALLER} && dpkg-deb -x ./*.deb .`;
  await promisify(execFile)('sh', ['-ec', steps]);
  return {
    kernel: join(folder, INSTALLER_FOLDER, 'linux'),
    initramfs: join(folder, INSTALLER_FOLDER, 'initrd.gz'),
    ready: /Select a language|Choose language/,
  };
}

let machines = 0;

/** From the kernel's first line; how it came into memory is the bench `boot`'s to measure. */
async function start(segment: Segment, { kernel, initramfs, ready }: Kernel): Promise<Measurement> {
  machines += 1;
  const machine = await segment.startMachine({
    name: `machine${machines}`,
    firmware: 'bios',
    extraArguments: ['-kernel', kernel, '-initrd', initramfs, '-append', CONSOLE],
  });
  try {
    const began = await machine.waitFor(KERNEL_SPEAKS, BOOT_MS);
    const { seconds } = await machine.waitFor(ready, BOOT_MS);
    return { seconds: seconds - began.seconds };
  } finally {
    await machine.powerOff();
  }
}
