export interface ProcessorFacts {
  readonly model?: string;
  readonly sockets: number;
  readonly cores: number;
  /** Logical processors that the kernel runs on. */
  readonly threads: number;
}

/** What /proc/cpuinfo says. Never throws; where topology is not told, each logical processor counts as a core. */
export function parseCpuinfo(text: string): ProcessorFacts {
  const processors = text
    .split(/\n\s*\n/)
    .map(
      (block) =>
        new Map(
          Array.from(block.matchAll(/^([^:\n]+?)\s*:\s*(.*)$/gm), ([, key = '', value = '']) => [key, value]),
        ),
    )
    .filter((each) => each.has('processor'));
  const sockets = new Set(processors.map((each) => each.get('physical id') ?? '0'));
  const cores = new Set(
    processors.map(
      (each, index) => `${each.get('physical id') ?? 0} ${each.get('core id') ?? `thread ${index}`}`,
    ),
  );
  const model = processors[0]?.get('model name')?.replace(/\s+/g, ' ').trim().slice(0, 200);
  return {
    ...(model ? { model } : {}),
    sockets: processors.length === 0 ? 0 : sockets.size,
    cores: cores.size,
    threads: processors.length,
  };
}

/** `MemTotal` of /proc/meminfo, in bytes: without what the firmware and the kernel keep for themselves. */
export function parseMemTotal(text: string): number | undefined {
  const [, kib] = /^MemTotal:\s+(\d+) kB$/m.exec(text) ?? [];
  return kib === undefined ? undefined : Number(kib) * 1024;
}
