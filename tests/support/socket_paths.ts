/**
 * Paths for Unix sockets, in folders that are gone after the test.
 *
 * @module
 */

/** Gives `use` a path at which there is nothing, and the permissions that a socket there takes. */
export async function withSocketPath(
  use: (path: string, flags: string[]) => Promise<void>,
): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    const path = `${folder}/socket`;
    await use(path, [
      `--allow-net=unix:${path}`,
      `--allow-read=${path}`,
      `--allow-write=${path}`,
    ]);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Whether there is something at a path. */
export async function exists(path: string): Promise<boolean> {
  try {
    await Deno.lstat(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
