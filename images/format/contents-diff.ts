import { type ContentsFile, type ContentsLine, type ContentsPackage, isPackage } from './contents.ts';

export interface PackageChange {
  readonly package: string;
  readonly architecture: string;
  readonly from: string;
  readonly to: string;
  /** Installed bytes more, or fewer. */
  readonly moreBytes: number;
}

export interface FileChange {
  readonly path: string;
  /** In the older release; undefined where it is new. */
  readonly before?: ContentsFile;
  readonly after?: ContentsFile;
}

export interface FileChanges {
  readonly count: number;
  /** Of regular files: of the newer release, or of the older one where they are gone. */
  readonly bytes: number;
  /** The largest first. */
  readonly files: readonly FileChange[];
}

/** What became of the root from one release to another. */
export interface ContentsDiff {
  readonly packages: {
    readonly added: readonly ContentsPackage[];
    readonly removed: readonly ContentsPackage[];
    readonly changed: readonly PackageChange[];
  };
  readonly files: {
    readonly added: FileChanges;
    readonly removed: FileChanges;
    readonly changed: FileChanges;
  };
}

/**
 * Compares two contents as they are read, in memory that the number of packages and changes decides alone.
 * @param most files to name of each kind: the largest.
 */
export async function diffContents(
  older: AsyncIterable<ContentsLine>,
  newer: AsyncIterable<ContentsLine>,
  most: number,
): Promise<ContentsDiff> {
  const [before, after] = [new Side(older), new Side(newer)];
  const packages = packageChanges(await before.packages(), await after.packages());
  const [added, removed, changed] = [new Largest(most), new Largest(most), new Largest(most)];
  let [a, b] = [await before.file(), await after.file()];
  while (a !== undefined || b !== undefined) {
    if (b === undefined || (a !== undefined && a.path < b.path)) {
      if (a) removed.add({ path: a.path, before: a });
      a = await before.file();
    } else if (a === undefined || b.path < a.path) {
      added.add({ path: b.path, after: b });
      b = await after.file();
    } else {
      if (!isSame(a, b)) changed.add({ path: b.path, before: a, after: b });
      [a, b] = [await before.file(), await after.file()];
    }
  }
  return {
    packages,
    files: { added: added.changes(), removed: removed.changes(), changed: changed.changes() },
  };
}

/** One of the two, read in step with the other. */
class Side {
  readonly #lines: AsyncIterator<ContentsLine>;
  #first: ContentsFile | undefined;

  constructor(lines: AsyncIterable<ContentsLine>) {
    this.#lines = lines[Symbol.asyncIterator]();
  }

  /** To be read before the files. */
  async packages(): Promise<ContentsPackage[]> {
    const packages: ContentsPackage[] = [];
    for (;;) {
      const { value, done } = await this.#lines.next();
      if (done) return packages;
      if (!isPackage(value)) {
        this.#first = value;
        return packages;
      }
      packages.push(value);
    }
  }

  async file(): Promise<ContentsFile | undefined> {
    const first = this.#first;
    this.#first = undefined;
    return first ?? ((await this.#lines.next()).value as ContentsFile | undefined);
  }
}

/** A package of another version is a changed one; some are there in several versions, such as kernels of rpm. */
function packageChanges(
  before: readonly ContentsPackage[],
  after: readonly ContentsPackage[],
): ContentsDiff['packages'] {
  const [held, holds] = [new Set(before.map(versionKey)), new Set(after.map(versionKey))];
  const gone = Map.groupBy(
    before.filter((each) => !holds.has(versionKey(each))),
    nameKey,
  );
  const added: ContentsPackage[] = [];
  const changed: PackageChange[] = [];
  for (const each of after.filter((other) => !held.has(versionKey(other)))) {
    const earlier = gone.get(nameKey(each))?.shift();
    if (earlier === undefined) added.push(each);
    else
      changed.push({
        package: each.package,
        architecture: each.architecture,
        from: earlier.version,
        to: each.version,
        moreBytes: each.installedBytes - earlier.installedBytes,
      });
  }
  return { added, removed: [...gone.values()].flat(), changed };
}

function nameKey(each: ContentsPackage): string {
  return `${each.package} ${each.architecture}`;
}

function versionKey(each: ContentsPackage): string {
  return `${nameKey(each)} ${each.version}`;
}

/** Which package brought a file is no change of the file. */
function isSame(a: ContentsFile, b: ContentsFile): boolean {
  if (a.type === 'link') return b.type === 'link' && a.target === b.target;
  if (b.type === 'link') return false;
  if (a.type !== b.type || a.mode !== b.mode || a.owner !== b.owner) return false;
  if (a.type === 'file' && b.type === 'file') return a.sha256 === b.sha256;
  if (a.type === 'device' && b.type === 'device') return a.device === b.device;
  return true;
}

/** Counts changes and keeps the largest of them. */
class Largest {
  readonly #most: number;
  #kept: FileChange[] = [];
  #count = 0;
  #bytes = 0;

  constructor(most: number) {
    this.#most = most;
  }

  add(change: FileChange): void {
    this.#count += 1;
    this.#bytes += bytesOf(change);
    this.#kept.push(change);
    if (this.#kept.length > 2 * this.#most + 1000) this.#cut();
  }

  changes(): FileChanges {
    this.#cut();
    return { count: this.#count, bytes: this.#bytes, files: this.#kept };
  }

  #cut(): void {
    this.#kept = this.#kept.toSorted((a, b) => bytesOf(b) - bytesOf(a) || (a.path < b.path ? -1 : 1));
    this.#kept.length = Math.min(this.#kept.length, this.#most);
  }
}

function bytesOf({ before, after }: FileChange): number {
  const file = after ?? before;
  return file?.type === 'file' ? file.bytes : 0;
}
