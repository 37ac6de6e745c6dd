import { copyFile, constants as fsConstants, rename, writeFile } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import {
  type ArtefactRole,
  BOOT_ROLES,
  type BootRole,
  type BootStyle,
  type Manifest,
  Problem,
} from '@bootswarm/images/format';
import { ARTEFACT_NAMES, writeManifest } from '../build-folder.ts';
import { writeRootContents } from '../contents.ts';
import { assembleFolder, type WorkFolder } from '../work-folder.ts';
import { type BootMenu, type MenuArguments, menuArguments } from './boot-menu.ts';
import { packCasperIso } from './casper-iso.ts';
import { classicStyle, writeClassicInitramfs } from './classic.ts';
import { type DiskImageOptions, diskImageKind, takeDiskImage } from './disk-image.ts';
import { download, dropDownload } from './download.ts';
import { initramfsPaths, refuseIncapable, styleOf } from './initramfs.ts';
import { KERNEL_HEADER_BYTES, kernelArchitecture } from './kernel-header.ts';
import { choosePath, type Layout, matching, recognise } from './layouts.ts';
import { type ByteRange, copyRange, fileAt, type Medium, pathsOf, readRange } from './medium.ts';
import { checkSha256, openMedium } from './open-medium.ts';
import { problem } from './problems.ts';
import { checkSquashfs, rootFormatOf } from './squashfs.ts';
import { hasTree, indexOfWhole, writeTree } from './tree.ts';

export interface ImportOptions extends Pick<Manifest, 'name' | 'version' | 'architecture'> {
  /** An ISO, a folder with what it holds, a netboot.tar.gz, a disk image, or the http address of one of them. */
  readonly source: string;
  /** What the ISO or the tar must be, in hexadecimal digits. */
  readonly sha256?: string | undefined;
  /** Where the medium does not say it clearly. */
  readonly bootStyle?: Extract<BootStyle, 'live-boot' | 'dracut-live' | 'casper' | 'installer'> | undefined;
  /** Paths on the medium, in place of those that its layout says. */
  readonly paths?: Partial<Record<BootRole, string>> | undefined;
  /** Packs the root into the initramfs. */
  readonly classic?: boolean | undefined;
  /** What machines need beyond what the boot style says. */
  readonly kernelArguments: readonly string[];
  /** Whether the arguments of the medium's own boot menu are left alone. */
  readonly withoutMenuArguments?: boolean | undefined;
  /** Of a download. 16 GiB unless said. */
  readonly mostBytes?: number | undefined;
  readonly outFolder: string;
  readonly replace?: boolean;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: ImportProgress) => void;
}

export interface ImportProgress {
  readonly stage: 'download' | 'verify' | 'list' | 'copy' | 'contents' | 'hash';
  /** Of this stage, 0 to 1. */
  readonly fraction?: number;
  readonly message?: string;
}

export interface ImportResult {
  readonly manifest: Manifest;
  /** What the medium was taken for. */
  readonly layout: string;
  /** Paths on the medium. */
  readonly taken: Readonly<Partial<Record<BootRole, string>>>;
  /** From the medium's own boot menu. */
  readonly menuArguments: MenuArguments;
  /** What an operator should know. */
  readonly notes: readonly string[];
}

const MOST_BYTES = 16 * 1024 ** 3;
const MOST_MENU_BYTES = 256 * 1024;

/**
 * Takes a distribution's medium into a build folder: kernel, initramfs and root, or an installer's tree.
 * @throws Problems of the catalogue beside this; `out_exists`, `disk_full`, `manifest_invalid`.
 */
export async function importImage(options: ImportOptions): Promise<ImportResult> {
  const { source, outFolder, replace = false } = options;
  return assembleFolder(outFolder, replace, (work) =>
    /^[a-z][a-z0-9+.-]*:\/\//i.test(source)
      ? importUrl(options, work)
      : importFile(options, work, resolve(source), false),
  );
}

async function importUrl(options: ImportOptions, work: WorkFolder): Promise<ImportResult> {
  const { source, mostBytes = MOST_BYTES, signal } = options;
  const out = resolve(options.outFolder);
  // Beside the result, and by the same name at every run, so that a broken download goes on.
  const file = join(dirname(out), `.${basename(out)}.download`);
  let isKept = false;
  try {
    await download(source, file, { mostBytes, signal, onBytes: downloadProgress(options) }).catch((error) => {
      isKept = error.code === 'download_broken';
      throw error;
    });
    return await importFile(options, work, file, true);
  } finally {
    if (!isKept && !signal?.aborted) await dropDownload(file);
  }
}

function downloadProgress({
  onProgress,
}: ImportOptions): (bytes: number, ofBytes: number | undefined) => void {
  return (bytes, ofBytes) =>
    onProgress?.({
      stage: 'download',
      ...(ofBytes === undefined ? {} : { fraction: bytes / ofBytes }),
      message: `${Math.floor(bytes / 1_000_000)} MB`,
    });
}

/** @param isOurs whether the file may be moved. */
async function importFile(
  options: ImportOptions,
  work: WorkFolder,
  path: string,
  isOurs: boolean,
): Promise<ImportResult> {
  const { source, sha256, signal, onProgress } = options;
  if (sha256 !== undefined) {
    onProgress?.({ stage: 'verify', message: source });
    await checkSha256(path, sha256, source, signal);
  }
  onProgress?.({ stage: 'list', message: source });
  const kind = await diskImageKind(path, source);
  if (kind) return importDiskImage(options, work, path, { kind, isOurs });
  const medium = await openMedium(path, source, work.scratch, signal);
  const plan = await planImport(medium, options);
  const names = await writeArtefacts(plan, work, options, isOurs);
  const untold = await tellContents(plan, work, options);
  const { bootStyle, rootFormat, kernelArguments } = plan;
  const manifest = await writeRelease(options, work, { bootStyle, rootFormat, kernelArguments }, names);
  const { layout, taken, notes } = plan;
  return {
    manifest,
    layout: layout.title,
    taken,
    menuArguments: plan.menuArguments,
    notes: [...notes, ...untold],
  };
}

function writeRelease(
  { name, version, architecture, signal, onProgress }: ImportOptions,
  { result }: WorkFolder,
  {
    bootStyle,
    rootFormat,
    kernelArguments,
  }: Pick<ImportPlan, 'bootStyle' | 'rootFormat' | 'kernelArguments'>,
  names: Partial<Record<ArtefactRole, string>> = {},
): Promise<Manifest> {
  return writeManifest(
    result,
    {
      ...{ name, version, architecture, bootStyle },
      ...(rootFormat === undefined ? {} : { rootFormat }),
      kernelArguments: [...kernelArguments],
    },
    {
      ...(signal && { signal }),
      onBytes: (bytes, ofBytes) => onProgress?.({ stage: 'hash', fraction: bytes / ofBytes }),
    },
    names,
  );
}

async function importDiskImage(
  options: ImportOptions,
  work: WorkFolder,
  path: string,
  how: Pick<DiskImageOptions, 'kind' | 'isOurs'>,
): Promise<ImportResult> {
  const { source, signal, onProgress } = options;
  const unfit = [
    ...BOOT_ROLES.filter((role) => options.paths?.[role] !== undefined),
    ...(options.classic === true ? ['classic'] : []),
    ...(options.bootStyle === undefined ? [] : ['boot-style']),
    ...(options.kernelArguments.length > 0 ? ['kernel-argument'] : []),
  ];
  if (unfit[0] !== undefined)
    throw problem('disk_image_options', { field: unfit[0], facts: { source, option: `--${unfit[0]}` } });
  const bytes = await takeDiskImage(path, join(work.result, ARTEFACT_NAMES.disk), {
    ...how,
    ...{ source, signal },
    onBytes: (done, ofBytes) => onProgress?.({ stage: 'copy', fraction: done / ofBytes }),
  });
  const manifest = await writeRelease(options, work, {
    ...{ bootStyle: 'disk-image', rootFormat: undefined, kernelArguments: [] },
  });
  return {
    manifest,
    layout: 'a disk image',
    taken: {},
    menuArguments: { menu: undefined, taken: [], left: [] },
    notes: [
      `It takes a disk of ${bytes} bytes or more, and is installed by a profile; nothing boots it live.`,
    ],
  };
}

/** What will be written, with everything checked that can be checked before. */
interface ImportPlan {
  readonly medium: Medium;
  readonly layout: Layout;
  readonly bootStyle: BootStyle;
  readonly rootFormat: Manifest['rootFormat'];
  readonly taken: Partial<Record<BootRole, string>>;
  readonly files: Readonly<Partial<Record<BootRole, ByteRange>>>;
  /** Where in the initramfs the root goes. */
  readonly classicRootPath: string | undefined;
  readonly kernelArguments: readonly string[];
  readonly menuArguments: MenuArguments;
  readonly notes: readonly string[];
}

async function planImport(medium: Medium, options: ImportOptions): Promise<ImportPlan> {
  const { source, signal } = options;
  const paths = pathsOf(medium);
  const layout = recognise(paths, source, options.bootStyle);
  const taken: Partial<Record<BootRole, string>> = {};
  const files: Partial<Record<BootRole, ByteRange>> = {};
  for (const role of BOOT_ROLES) {
    const said = options.paths?.[role];
    if (said === undefined && layout[role] === undefined) continue;
    const path = said ?? choosePath(layout, role, paths, source);
    taken[role] = path;
    files[role] = takeFile(medium, path, role);
  }
  const { kernel, initramfs, root } = files;
  if (!kernel || !initramfs) throw new TypeError(`layout ${layout.title} names no kernel or no initramfs`);
  const notes: string[] = [];

  const kernelPath = taken.kernel ?? '';
  await checkKernel(kernel, kernelPath, options.architecture);
  const initramfsPath = taken.initramfs ?? '';
  const names = await initramfsPaths(initramfs, initramfsPath, signal);
  const style =
    options.bootStyle ?? (layout.style === 'by-initramfs' ? styleOf(names, initramfsPath) : layout.style);
  const isClassic = options.classic === true;
  if (style !== 'installer' && !isClassic) refuseIncapable(style, names, initramfsPath);
  let rootFormat: Manifest['rootFormat'];
  const ofStyle: string[] = style === 'live-boot' && !isClassic ? ['boot=live'] : [];
  if (style === 'casper') {
    for (const path of matching(paths, 'casper/*.squashfs'))
      await checkSquashfs(takeFile(medium, path, 'root'), path);
    rootFormat = 'iso';
  } else if (root !== undefined) {
    await checkSquashfs(root, taken.root ?? '');
    const found = await rootFormatOf(root, taken.root ?? '', signal);
    if (found === 'nested') rootFormat = found;
    // dracut lays a snapshot of blocks over a file system inside, and over this one nothing unless it is told
    // (dracut.cmdline(7)); where its initramfs runs systemd it would find out by itself.
    else if (style === 'dracut-live') ofStyle.push('rd.live.overlay.overlayfs=1');
  }
  const classic = isClassic ? classicStyle(style, root?.length ?? 0) : undefined;
  if (style === 'installer' && !hasTree(medium))
    notes.push('No packages are on this medium: the installer needs a mirror.');

  const menus = options.withoutMenuArguments ? [] : await readMenus(medium, layout, paths);
  const fromMenu = menuArguments(menus, kernelPath);
  const ofRoot = classic?.kernelArguments ?? [];
  return {
    medium,
    layout,
    bootStyle: isClassic ? 'classic' : style,
    rootFormat: isClassic ? undefined : rootFormat,
    taken,
    files,
    classicRootPath: classic?.rootPath,
    kernelArguments: [...new Set([...ofRoot, ...ofStyle, ...fromMenu.taken, ...options.kernelArguments])],
    menuArguments: fromMenu,
    notes,
  };
}

function takeFile(medium: Medium, path: string, role: BootRole): ByteRange {
  const found = fileAt(medium, path);
  if (found !== undefined) return found;
  throw problem('import_no_such_file', { field: role, facts: { path, source: medium.source } });
}

async function checkKernel(range: ByteRange, path: string, wanted: Manifest['architecture']): Promise<void> {
  const found = kernelArchitecture(await readRange(range, KERNEL_HEADER_BYTES));
  if (found === undefined) throw problem('kernel_not_one', { field: 'kernel', facts: { path } });
  if (found === 'i386') throw problem('kernel_not_64_bit', { field: 'kernel', facts: { path } });
  if (found !== wanted)
    throw problem('kernel_other_architecture', { field: 'architecture', facts: { path, found, wanted } });
}

async function readMenus(medium: Medium, layout: Layout, paths: readonly string[]): Promise<BootMenu[]> {
  const menus: BootMenu[] = [];
  for (const path of layout.menus.flatMap((pattern) => matching(paths, pattern))) {
    const range = medium.files.get(path);
    if (range !== undefined)
      menus.push({ path, text: (await readRange(range, MOST_MENU_BYTES)).toString('utf8') });
  }
  return menus;
}

/** @returns the names of files that are not called as ARTEFACT_NAMES says. */
async function writeArtefacts(
  plan: ImportPlan,
  { result }: WorkFolder,
  options: ImportOptions,
  isOurs: boolean,
): Promise<Partial<Record<ArtefactRole, string>>> {
  const { medium, files, classicRootPath } = plan;
  const { signal } = options;
  const copyOptions = { signal, onBytes: copyProgress(plan, options) };
  const pathTo = (name: string): string => join(result, name);
  const { kernel, initramfs, root } = files;
  if (!kernel || !initramfs) return {};
  await copyRange(kernel, pathTo(ARTEFACT_NAMES.kernel), copyOptions);
  if (classicRootPath !== undefined && root !== undefined) {
    await writeClassicInitramfs(
      initramfs,
      root,
      classicRootPath,
      pathTo(ARTEFACT_NAMES.initramfs),
      copyOptions,
    );
    return {};
  }
  await copyRange(initramfs, pathTo(ARTEFACT_NAMES.initramfs), copyOptions);
  if (root !== undefined) await copyRange(root, pathTo(ARTEFACT_NAMES.root), copyOptions);
  if (plan.bootStyle === 'casper') {
    // casper takes a URL for an ISO by its end.
    const names = { root: 'root.iso' };
    if (medium.kind === 'iso') await takeWhole(medium, pathTo(names.root), isOurs);
    else await packCasperIso(medium, pathTo(names.root), signal);
    return names;
  }
  if (plan.bootStyle !== 'installer' || !hasTree(medium)) return {};
  const writeIndex = (index: object): Promise<void> =>
    writeFile(pathTo(ARTEFACT_NAMES['tree-index']), `${JSON.stringify(index)}\n`);
  if (medium.kind === 'iso' && medium.whole !== undefined) {
    const names = { tree: 'tree.iso' };
    await writeIndex(indexOfWhole(medium, medium.whole.length));
    await takeWhole(medium, pathTo(names.tree), isOurs);
    return names;
  }
  await writeIndex(await writeTree(medium, pathTo(ARTEFACT_NAMES.tree), copyOptions));
  return {};
}

/**
 * Writes what is in the root, where it is a squashfs by itself.
 * @returns a note where it could not be told: a machine boots it all the same.
 */
async function tellContents(
  { rootFormat, bootStyle, files }: ImportPlan,
  { result }: WorkFolder,
  { signal, onProgress }: ImportOptions,
): Promise<readonly string[]> {
  if (files.root === undefined || rootFormat !== undefined || bootStyle === 'classic') return [];
  onProgress?.({ stage: 'contents' });
  try {
    await writeRootContents(join(result, ARTEFACT_NAMES.root), join(result, ARTEFACT_NAMES.contents), signal);
    return [];
  } catch (error) {
    if (!(error instanceof Problem) || error.code !== 'root_contents_unreadable') throw error;
    return [`${error.message}, so that 'image diff' will not know its files.`];
  }
}

/** The ISO itself becomes an artefact. */
async function takeWhole({ whole }: Medium, to: string, isOurs: boolean): Promise<void> {
  if (whole === undefined) return;
  if (isOurs) await rename(whole.file, to);
  else await copyFile(whole.file, to, fsConstants.COPYFILE_FICLONE);
}

function copyProgress(
  { medium, files, bootStyle }: ImportPlan,
  { onProgress }: ImportOptions,
): (bytes: number) => void {
  const parts = Object.values(files);
  const tree =
    bootStyle === 'installer' && medium.kind !== 'iso' && hasTree(medium) ? [...medium.files.values()] : [];
  const total = [...parts, ...tree].reduce((sum, { length }) => sum + length, 0);
  let copied = 0;
  return (bytes) => {
    copied += bytes;
    onProgress?.({ stage: 'copy', fraction: copied / Math.max(total, copied) });
  };
}
