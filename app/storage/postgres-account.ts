import { readFileSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { storageError } from "./storage-error.ts";

/** Who PostgreSQL runs as when Charla runs as root, which PostgreSQL refuses to. */
export type Account = { name: string; uid: number; gid: number };

/** Accounts that exist everywhere and own nothing, best first. A uid without an entry in passwd does not do. */
const UNPRIVILEGED = ["nobody", "daemon", "bin"];

/**
 * The account to step down to, or null when this process is not root and PostgreSQL may run as it is.
 * `ownerUid` is the owner of a database made earlier: it stays the same person's.
 */
export function chooseAccount(ownerUid: number | null): Account | null {
	if (process.getuid?.() !== 0) return null;
	const accounts = readAccounts();
	const owner = ownerUid === null || ownerUid === 0 ? undefined : accounts.find((account) => account.uid === ownerUid);
	const account = owner ?? UNPRIVILEGED.map((name) => accounts.find((each) => each.name === name)).find((each) => each !== undefined);
	if (account !== undefined) return account;
	throw storageError(
		"DATABASE_UNAVAILABLE_HERE",
		"PostgreSQL refuses to run as root and /etc/passwd has no account to run it as (nobody). Start Charla as an ordinary user, or set DATABASE_URL.",
	);
}

/** Whether `account` (null: we ourselves) may pass through every folder down to and including `folder`, going by their modes. */
export function mayEnter(folder: string, account: Account | null): boolean {
	if (account === null) return true;
	for (let at = folder; ; at = dirname(at)) {
		const { mode, uid, gid } = statSync(at);
		const bit = uid === account.uid ? 0o100 : gid === account.gid ? 0o010 : 0o001;
		if ((mode & bit) === 0) return false;
		if (at === dirname(at)) return true;
	}
}

function readAccounts(): Account[] {
	return readFileSync("/etc/passwd", "utf8")
		.split("\n")
		.map((line) => line.split(":"))
		.filter((fields) => fields.length >= 4)
		.map(([name = "", , uid, gid]) => ({ name, uid: Number(uid), gid: Number(gid) }))
		.filter((account) => account.uid > 0);
}
