import { cpSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { debianKernel, Site, smallInitramfs, writeBuildFolder } from '../boot/index.ts';
import { type Firmware, Lab, type Segment } from '../lab/index.ts';
import type { Bench, Measurement } from './bench.ts';

const FIRMWARES = ['bios', 'uefi'] as const satisfies readonly Firmware[];
const CONSOLE = ['console=ttyS0,115200n8', 'earlyprintk=ttyS0,115200n8'];
const NGINX_PORT = 8481;
const KERNEL_SPEAKS = /Linux version \d/;
const BOOT_MS = 180_000;
const UP_MS = 20_000;
/** Outside the pool. */
const PEER_HOST = 5;
/** In the root's place: no machine gets as far as that. */
const NO_ROOT = new Uint8Array(1024 * 1024);

/** The same machine from power-on to the kernel's first line: the edge against dnsmasq with nginx. */
export const bootBench: Bench = {
  name: 'boot',
  summary: "the same VM from power-on to the kernel's first line, BIOS and UEFI, against dnsmasq with nginx",
  better: { seconds: 'less' },
  async prepare(say) {
    const lab = await Lab.create('bench-boot');
    try {
      say('laying two segments: one with an edge, one with dnsmasq and nginx, which serve the same kernel');
      const segments = {
        ours: await lab.addSegment({ relay: 'none' }),
        dnsmasq: await lab.addSegment({ relay: 'none' }),
      };
      const files = { kernel: await debianKernel(lab), initramfs: smallInitramfs(), root: NO_ROOT };
      await startOurs(lab, segments.ours, files);
      await startPeer(lab, segments.dnsmasq, files);
      return {
        cases: FIRMWARES.map((firmware) => ({
          name: firmware,
          subjects: Object.fromEntries(
            Object.entries(segments).map(([name, segment]) => [name, () => bootOnce(segment, firmware)]),
          ),
        })),
        [Symbol.asyncDispose]: () => lab[Symbol.asyncDispose](),
      };
    } catch (error) {
      await lab[Symbol.asyncDispose]();
      throw error;
    }
  },
};

type Files = Parameters<typeof writeBuildFolder>[1];
let machines = 0;

/** A machine that nobody has seen before, on servers that have been up for a while. */
async function bootOnce(segment: Segment, firmware: Firmware): Promise<Measurement> {
  machines += 1;
  const machine = await segment.startMachine({ name: `machine${machines}`, firmware });
  try {
    const { seconds } = await machine.waitFor(KERNEL_SPEAKS, BOOT_MS);
    return { seconds };
  } finally {
    await machine.powerOff();
  }
}

async function startOurs(lab: Lab, segment: Segment, files: Files): Promise<void> {
  const site = await Site.start(lab);
  await site.addEdge('edge1', segment.coreInterface ?? '');
  await site.addSegment(segment, 'edge1');
  const build = join(lab.folder, 'build');
  await writeBuildFolder(build, files, CONSOLE);
  const release = await site.publish(build);
  const segments = (await site.bootswarm('segment', 'show', `seg${segment.number}`)) as object;
  const file = join(lab.folder, 'segment.json');
  writeFileSync(
    file,
    JSON.stringify({ segments: [{ ...segments, defaultIntent: { kind: 'live', release } }] }),
  );
  await site.bootswarm('segment', 'apply', file);
  await site.releaseReady(release);
}

/** dnsmasq for DHCP and TFTP, nginx for the script, the kernel and the initramfs: what one would set up by hand. */
async function startPeer(lab: Lab, segment: Segment, files: Files): Promise<void> {
  // Not in the core: both servers want port 67 of it.
  const address = segment.subnet.address(PEER_HOST);
  const peer = await segment.addHost('peer', { address });
  const [tftpRoot, webRoot] = [join(lab.folder, 'tftp'), join(lab.folder, 'web')];
  for (const folder of [tftpRoot, webRoot]) mkdirSync(folder);
  for (const name of ['undionly.kpxe', 'snponly.efi']) cpSync(`/usr/lib/ipxe/${name}`, join(tftpRoot, name));
  writeFileSync(join(webRoot, 'vmlinuz'), files.kernel);
  writeFileSync(join(webRoot, 'initrd.img'), files.initramfs);
  const url = `http://${address}:${NGINX_PORT}`;
  const script = [
    '#!ipxe',
    `kernel --name kernel ${url}/vmlinuz initrd=initramfs BOOTIF=01-\${netX/mac:hexhyp} ${CONSOLE.join(' ')}`,
    `initrd --name initramfs ${url}/initrd.img`,
    'boot',
  ];
  writeFileSync(join(webRoot, 'boot.ipxe'), `${script.join('\n')}\n`);
  const config = join(lab.folder, 'nginx.conf');
  writeFileSync(
    config,
    `user root; daemon off; worker_processes auto; pid ${lab.folder}/nginx.pid; error_log stderr;
     events { worker_connections 1024; }
     http { access_log off; sendfile on; tcp_nopush on; default_type application/octet-stream;
            server { listen ${NGINX_PORT}; root ${webRoot}; } }`,
  );
  const range = `${segment.subnet.address(100)},${segment.subnet.address(199)},1h`;
  await peer.start(['nginx', '-c', config, '-e', 'stderr'], { name: 'nginx' });
  const dnsmasq = await peer.start(
    [
      ...['dnsmasq', '--keep-in-foreground', '--conf-file=/dev/null', '--port=0', '--no-ping', '--user=root'],
      ...['--log-facility=-', `--interface=${peer.interface}`, '--bind-interfaces'],
      ...[`--dhcp-range=${range}`, `--dhcp-leasefile=${lab.folder}/dnsmasq.leases`, '--dhcp-authoritative'],
      ...['--enable-tftp', `--tftp-root=${tftpRoot}`, '--dhcp-match=set:ipxe,175'],
      ...['--dhcp-match=set:efi64,option:client-arch,7', '--dhcp-match=set:efi64,option:client-arch,9'],
      ...[`--dhcp-boot=tag:ipxe,${url}/boot.ipxe`, '--dhcp-boot=tag:!ipxe,tag:efi64,snponly.efi'],
      '--dhcp-boot=tag:!ipxe,tag:!efi64,undionly.kpxe',
    ],
    { name: 'dnsmasq' },
  );
  await dnsmasq.output.waitFor(/started, version/, UP_MS);
}
