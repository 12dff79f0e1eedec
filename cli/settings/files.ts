import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import { GuardInputError } from "../../components/problems";

/** Where stack files are read: on disk, or as a commit has them. */
export interface Files {
  /** Undefined where there is no such file. */
  read(file: string): string | undefined;
  /** Names in a folder; none where there is no such folder. */
  list(folder: string): string[];
}

export const onDisk: Files = {
  read: (file) => {
    try {
      return fs.readFileSync(file, "utf8");
    } catch (error) {
      const { code = "", message } = error as NodeJS.ErrnoException;
      // As Pulumi: a folder or something unreadable above the project is no project.
      if (["ENOENT", "ENOTDIR", "EISDIR"].includes(code)) return undefined;
      throw new GuardInputError([
        { key: file, found: message, allowed: "a file that can be read", fix: "look at its permissions" },
      ]);
    }
  },
  list: (folder) => (fs.statSync(folder, { throwIfNoEntry: false })?.isDirectory() ? fs.readdirSync(folder) : []),
};

/** The files of a commit; undefined where there is no such commit. Paths are those of the work tree. */
export function atCommit(ref: string, cwd: string): { readonly files: Files; readonly folder: string } | undefined {
  const git = (...args: string[]) =>
    execFileSync("git", args, { cwd, encoding: "utf8", stdio: ["ignore", "pipe", "ignore"], maxBuffer: 64 << 20 });
  let commit: string;
  try {
    // A ref that looks like a flag stays a ref.
    commit = git("rev-parse", "--verify", "--quiet", "--end-of-options", `${ref}^{commit}`).trim();
  } catch {
    return undefined;
  }
  const top = git("rev-parse", "--show-toplevel").replace(/\n$/, "");
  const inside = (file: string) => {
    const relative = path.relative(top, file);
    return relative.startsWith("..") || path.isAbsolute(relative) ? undefined : relative;
  };
  const read = (file: string, links = 0): string | undefined => {
    const name = inside(file);
    if (!name || links > 10) return undefined;
    const [, mode, kind] = /^(\d+) (\w+) /.exec(git("ls-tree", "-z", "--full-tree", commit, "--", name)) ?? [];
    if (kind !== "blob") return undefined;
    const text = git("cat-file", "blob", `${commit}:${name}`);
    return mode === "120000" ? read(path.resolve(path.dirname(file), text), links + 1) : text;
  };
  return {
    folder: path.join(top, git("rev-parse", "--show-prefix").replace(/\n$/, "")),
    files: {
      read,
      list: (folder) => {
        const name = inside(folder);
        if (name === undefined) return [];
        const listed = git("ls-tree", "-z", "--full-tree", "--name-only", commit, ...(name ? ["--", `${name}/`] : []));
        return listed.split("\0").flatMap((one) => (one === "" ? [] : [path.basename(one)]));
      },
    },
  };
}
