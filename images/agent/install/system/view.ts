/** The new system's tree as the agent looks at it: absolute paths in it, links followed within it. */
export interface SystemView {
  /** Whatever it is. */
  has(path: string): boolean;
  /** Text of a file; undefined where there is none. */
  read(path: string): string | undefined;
  /** Names in a folder, in order; none where there is no such folder. */
  list(path: string): readonly string[];
}

/**
 * One thing that is made otherwise in the new system. What stood there before goes. Folders above it are made, as closed as
 * the file itself.
 */
export type Change =
  | {
      readonly kind: 'file';
      readonly path: string;
      readonly content: string;
      /** Unless said those of the file that it replaces, with its owner, or 0o644 of root. */
      readonly mode?: number;
    }
  | { readonly kind: 'link'; readonly path: string; readonly target: string }
  | { readonly kind: 'remove'; readonly path: string };

export const file = (path: string, content: string, mode?: number): Change => ({
  kind: 'file',
  path,
  content,
  ...(mode === undefined ? {} : { mode }),
});
export const link = (path: string, target: string): Change => ({ kind: 'link', path, target });
export const remove = (path: string): Change => ({ kind: 'remove', path });

/** The first of these paths that the system has. */
export function firstOf(view: SystemView, paths: readonly string[]): string | undefined {
  return paths.find((path) => view.has(path));
}

const PROGRAM_FOLDERS = ['/usr/bin', '/usr/sbin', '/bin', '/sbin', '/usr/local/bin', '/usr/local/sbin'];

/** Where a program of the system is. */
export function programIn(view: SystemView, name: string): string | undefined {
  return firstOf(
    view,
    PROGRAM_FOLDERS.map((folder) => `${folder}/${name}`),
  );
}

const UNIT_FOLDERS = ['/etc/systemd/system', '/usr/lib/systemd/system', '/lib/systemd/system'];

export function unitIn(view: SystemView, name: string): string | undefined {
  return firstOf(
    view,
    UNIT_FOLDERS.map((folder) => `${folder}/${name}`),
  );
}

/** As `systemctl enable` would for a unit that multi-user.target wants. */
export function enable(unitPath: string, unit: string): Change {
  return link(`/etc/systemd/system/multi-user.target.wants/${unit}`, unitPath);
}
