/**
 * Which of a window's workspace folders something belongs to, where there are several. Pure; tests: test/unit/folders.test.ts.
 */

export interface FolderPlace {
  /** Absolute, without symbolic links. */
  readonly path: string;
  /** Its store, by its setting; the same. */
  readonly store: string;
}

/** The innermost folder that has `path` in it. */
export function folderAround<F extends FolderPlace>(folders: readonly F[], path: string): F | undefined {
  const around = folders.filter((folder) => path === folder.path || path.startsWith(`${folder.path.replace(/\/$/, '')}/`));
  return around.reduce<F | undefined>(
    (best, one) => (best === undefined || one.path.length > best.path.length ? one : best),
    undefined,
  );
}

/**
 * The folder whose store it is. Where several have that store, or none has, as a launch configuration may name another: the one that the
 * program ran in; else the first that has it, or the only one that there is. `cwd` empty: nobody knows.
 */
export function folderOfRun<F extends FolderPlace>(
  folders: readonly F[],
  { store, cwd }: { store: string; cwd: string },
): F | undefined {
  const own = folders.filter((folder) => folder.store === store);
  const [first] = own;
  if (first !== undefined && own.length === 1) return first;
  return folderAround(own.length === 0 ? folders : own, cwd) ?? first ?? (folders.length === 1 ? folders[0] : undefined);
}
