import { createHash } from "node:crypto";
import { chmodSync, chownSync, existsSync, lstatSync, mkdirSync, readFileSync, realpathSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Account } from "./postgres-account.ts";
import { chooseAccount, mayEnter } from "./postgres-account.ts";
import { codeOf, storageError } from "./storage-error.ts";

/** Where one embedded database lives, and as whom. */
export type Place = {
	account: Account | null;
	/** Everything of PostgreSQL's, open to its account only. */
	home: string;
	/** PostgreSQL's data folder. It bears this name only once complete. */
	cluster: string;
	logFile: string;
	/** Where the unix socket is: `home`, unless that path is too long for one. */
	socketDir: string;
	/** Where a copy of the programs goes if one is needed. */
	copiesDir: string;
	/** Writes down in the data folder where the database is, when it is elsewhere. */
	noteDown(): void;
};

export const SIGNPOST = "where-the-database-is.txt";
const SOCKET_NAME = ".s.PGSQL.5432";
/** A unix socket's path: 107 bytes on Linux, 103 on macOS. */
const LONGEST_SOCKET_PATH = 103;

/**
 * Decides where the database of `dataDir` (which must exist) lives: in it, unless we are root and the account we
 * step down to may not go there. Once a database exists, its place never changes.
 */
export function choosePlace(dataDir: string): Place {
	const data = realpathSync(dataDir);
	const inside = join(data, "database");
	const hash = createHash("sha256").update(data).digest("hex").slice(0, 16);

	const noted = readSignpost(data);
	if (noted !== null) {
		if (holdsCluster(noted)) return placeAt(noted, data, hash);
		throw storageError(
			"DATA_MISSING",
			`${join(data, SIGNPOST)} says that the database is in ${noted}, and there is none. Put it back, or delete that text file to begin with an empty one.`,
		);
	}
	const account = chooseAccount(null);
	if (holdsCluster(inside) || mayEnter(data, account)) return placeAt(inside, data, hash);
	return placeAt(join(cacheFor(account), hash, "database"), data, hash);
}

function placeAt(home: string, data: string, hash: string): Place {
	const account = chooseAccount(ownerOf(home));
	const elsewhere = home !== join(data, "database");
	if (elsewhere) mkdirSync(join(home, ".."), { recursive: true, mode: 0o755 });
	makeOwnFolder(home, account);
	if (!mayEnter(home, account)) {
		throw storageError(
			"DATA_FOREIGN",
			`The database is in ${home}, which the account it runs as (${account?.name}) may no longer enter. Give the folders above it back their execute bit (chmod a+x).`,
		);
	}
	return {
		account,
		home,
		cluster: join(home, "cluster"),
		logFile: join(home, "postgresql.log"),
		socketDir: socketDirFor(home, hash, account),
		copiesDir: account === null ? data : cacheFor(account),
		noteDown() {
			if (elsewhere) writeSignpost(data, home, account);
		},
	};
}

function holdsCluster(home: string): boolean {
	try {
		return existsSync(home) && statSync(join(home, "cluster")).isDirectory();
	} catch (error) {
		if (codeOf(error) === "ENOENT") return false;
		throw storageError("DATA_FOREIGN", `The database in ${home} belongs to somebody else: start Charla as that account or as root.`, error);
	}
}

function ownerOf(folder: string): number | null {
	return existsSync(folder) ? statSync(folder).uid : null;
}

/** A folder only `account` may enter. Refuses one that a stranger prepared, such as in a shared temporary folder. */
function makeOwnFolder(folder: string, account: Account | null): void {
	const self = process.getuid?.() ?? 0;
	try {
		mkdirSync(folder, { mode: 0o700 });
	} catch (error) {
		if (codeOf(error) !== "EEXIST") throw error;
	}
	const found = lstatSync(folder);
	if (!found.isDirectory() || (found.uid !== self && found.uid !== account?.uid)) {
		throw storageError("DATA_FOREIGN", `${folder} belongs to somebody else: start Charla as that account, or move the folder away.`);
	}
	try {
		chmodSync(folder, 0o700);
		if (account !== null) chownSync(folder, account.uid, account.gid);
	} catch (error) {
		throw storageError(
			"DATABASE_UNAVAILABLE_HERE",
			`PostgreSQL refuses to run as root, and ${folder} cannot be given to ${account?.name} here. Start Charla as an ordinary user, or set DATABASE_URL.`,
			error,
		);
	}
}

/** A folder for what root keeps outside of the checkout. */
function cacheFor(account: Account | null): string {
	for (const folder of ["/var/cache/charla", join(tmpdir(), "charla-cache"), "/tmp/charla-cache"]) {
		try {
			mkdirSync(folder, { recursive: true, mode: 0o755 });
			const found = lstatSync(folder);
			if (found.isDirectory() && found.uid === (process.getuid?.() ?? 0) && mayEnter(folder, account)) return folder;
		} catch {
			// Read-only or not ours: the next one.
		}
	}
	throw storageError(
		"DATABASE_UNAVAILABLE_HERE",
		`Found no folder for the database that the account ${account?.name} may enter. Set DATABASE_URL, or start Charla as an ordinary user.`,
	);
}

function socketDirFor(home: string, hash: string, account: Account | null): string {
	const fits = (folder: string) => Buffer.byteLength(join(folder, SOCKET_NAME)) <= LONGEST_SOCKET_PATH;
	if (fits(home)) return home;
	const parent = [tmpdir(), "/tmp"].find((folder) => fits(join(folder, `charla-${hash}`)) && mayEnter(folder, account)) ?? "/tmp";
	const folder = join(parent, `charla-${hash}`);
	makeOwnFolder(folder, account);
	return folder;
}

function readSignpost(data: string): string | null {
	try {
		const lines = readFileSync(join(data, SIGNPOST), "utf8").split("\n");
		return lines.find((line) => line.startsWith("/"))?.trim() ?? null;
	} catch (error) {
		if (codeOf(error) === "ENOENT") return null;
		throw error;
	}
}

function writeSignpost(data: string, home: string, account: Account | null): void {
	const text = [
		"The database of this Charla is not in this folder. Charla was started as root, PostgreSQL refuses to run as root,",
		`and the account it runs as instead (${account?.name}) may not enter here. The database is in`,
		"",
		home,
		"",
		"Charla reads this file. Delete it together with that folder to begin with an empty database.",
		"",
	];
	writeFileSync(join(data, SIGNPOST), text.join("\n"));
}
