import { sectionOf } from './elf.ts';

/** A kernel module, and what it says of itself in its section `.modinfo` (linux/module.h, MODULE_INFO). */
export interface KernelModule {
  /** As modprobe takes it: with `_` for `-`. */
  readonly name: string;
  /** Below /lib/modules/VERSION, uncompressed: `kernel/drivers/net/virtio_net.ko`. */
  readonly path: string;
  /** Modules whose symbols it uses. */
  readonly depends: readonly string[];
  /** Modules that are to be loaded before it, where there are any (`softdep: pre:`). */
  readonly before: readonly string[];
  /** Patterns of the devices that it drives. */
  readonly aliases: readonly string[];
  /** Blobs below /lib/firmware that it may ask for. */
  readonly firmware: readonly string[];
}

/** `kernel/lib/crc-itu-t.ko.xz` to `crc_itu_t`. */
export function moduleName(path: string): string {
  const file = path.slice(path.lastIndexOf('/') + 1);
  return file.replace(/\.ko(\.\w+)?$/, '').replaceAll('-', '_');
}

/** @param bytes of the module, uncompressed. @throws RangeError where that is no ELF file. */
export function readModule(path: string, bytes: Uint8Array): KernelModule {
  const info = Buffer.from(sectionOf(bytes, '.modinfo') ?? []).toString('latin1');
  const fields = info.split('\0').map((field) => {
    const equals = field.indexOf('=');
    return [field.slice(0, equals), field.slice(equals + 1)] as const;
  });
  const all = (key: string): string[] => fields.flatMap(([name, value]) => (name === key ? [value] : []));
  return {
    name: moduleName(path),
    path,
    depends: all('depends')
      .flatMap((list) => list.split(',').filter(Boolean))
      .map(canonical),
    before: all('softdep').flatMap(modulesBefore),
    aliases: all('alias'),
    firmware: all('firmware'),
  };
}

/** `pre: a b post: c` to `a`, `b`. */
function modulesBefore(softdep: string): string[] {
  const [, list = ''] = /(?:^|\s)pre:\s*((?:(?!post:)\S+\s*)*)/.exec(softdep) ?? [];
  return list.split(/\s+/).filter(Boolean).map(canonical);
}

function canonical(name: string): string {
  return name.replaceAll('-', '_');
}

export interface Chosen {
  /** In the order of their paths. */
  readonly modules: readonly KernelModule[];
  /** Names that this kernel has neither as modules nor built in. */
  readonly absent: readonly string[];
}

/**
 * The modules of `wanted`, and whatever they need to load.
 * @param paths of all modules of the kernel.
 * @param builtIn names of what the kernel holds itself.
 * @param read told a path, gives the module; each is read at most once.
 */
export async function chooseModules(
  wanted: Iterable<string>,
  paths: readonly string[],
  builtIn: ReadonlySet<string>,
  read: (path: string) => Promise<KernelModule>,
): Promise<Chosen> {
  const pathOf = new Map(paths.map((path) => [moduleName(path), path]));
  const chosen = new Map<string, KernelModule>();
  const absent = new Set<string>();
  const queue = [...wanted].map((name) => ({ name: canonical(name), isOptional: false }));
  for (let next = queue.pop(); next !== undefined; next = queue.pop()) {
    const { name, isOptional } = next;
    if (chosen.has(name) || builtIn.has(name)) continue;
    const path = pathOf.get(name);
    if (path === undefined) {
      if (!isOptional) absent.add(name);
      continue;
    }
    const module = await read(path);
    chosen.set(name, module);
    queue.push(...module.depends.map((each) => ({ name: each, isOptional: false })));
    queue.push(...module.before.map((each) => ({ name: each, isOptional: true })));
  }
  const byPath = (a: KernelModule, b: KernelModule): number => (a.path < b.path ? -1 : 1);
  return { modules: [...chosen.values()].toSorted(byPath), absent: [...absent].toSorted() };
}

/** modules.dep(5): each module, and all that it needs, what is needed first at the end. */
export function modulesDep(modules: readonly KernelModule[]): string {
  const byName = new Map(modules.map((module) => [module.name, module]));
  const lines = modules.map((module) => {
    const needed = new Set<string>();
    const collect = ({ depends }: KernelModule): void => {
      for (const name of depends) {
        const each = byName.get(name);
        if (each === undefined) continue;
        // Again at the end, because whoever needed it so far needs it before.
        needed.delete(each.path);
        needed.add(each.path);
        collect(each);
      }
    };
    collect(module);
    return `${module.path}:${[...needed].map((path) => ` ${path}`).join('')}\n`;
  });
  return lines.join('');
}

/** `alias PATTERN MODULE`, as depmod writes modules.alias. */
export function modulesAlias(modules: readonly KernelModule[]): string {
  return modules.flatMap(({ name, aliases }) => aliases.map((alias) => `alias ${alias} ${name}\n`)).join('');
}

/** `softdep MODULE pre: OTHERS`, of those that are here: modprobe.d(5). */
export function modulesSoftdep(modules: readonly KernelModule[]): string {
  const names = new Set(modules.map(({ name }) => name));
  return modules
    .map(({ name, before }) => ({ name, here: before.filter((each) => names.has(each)) }))
    .filter(({ here }) => here.length > 0)
    .map(({ name, here }) => `softdep ${name} pre: ${here.join(' ')}\n`)
    .join('');
}
