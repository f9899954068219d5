import { createHash } from "node:crypto";
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { mustRun } from "./program.ts";

/** What the broken release does instead of storing a message. */
const fault = '\tif (true as boolean) throw new Error("a fault of the rehearsal");\n';

/**
 * Makes of an artefact one that starts, migrates, gets ready and shows its pages, and cannot store a message: what no health check sees,
 * and two people who talk do.
 */
export async function breakRelease(artefact: string, to: string): Promise<string> {
	const inside = `${to}-inside`;
	cpSync(artefact, to, { recursive: true });
	mkdirSync(inside);
	await mustRun("tar", ["--extract", "--gzip", "--file", join(artefact, "charla.tar.gz"), "--directory", inside]);
	const file = join(inside, "app/chat/messages/post.ts");
	const source = readFileSync(file, "utf8");
	const broken = source.replace(/(\tconst \{ roomId, me \} = here;\n)/, `$1${fault}`);
	if (broken === source) throw new Error("The fault found no place in app/chat/messages/post.ts.");
	writeFileSync(file, broken);
	await mustRun("tar", ["--create", "--use-compress-program", "gzip -1", "--file", join(to, "charla.tar.gz"), "--directory", inside, "."]);
	rmSync(inside, { recursive: true });
	const sha256 = createHash("sha256")
		.update(readFileSync(join(to, "charla.tar.gz")))
		.digest("hex");
	const release = JSON.parse(readFileSync(join(to, "release.json"), "utf8")) as Record<string, unknown>;
	writeFileSync(join(to, "release.json"), `${JSON.stringify({ ...release, release: sha256.slice(0, 12), sha256 }, null, "\t")}\n`);
	return to;
}
