import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

/** Longer than the rehearsal gives itself, ms. */
const within = 16 * 60_000;
/** What it ends with where it cannot be held: no root, no Linux, nothing to install its tools by. */
const notHere = 3;

test("[D4] a release goes from the sources to people, rolls, fails and goes back; instances go; no message is lost", {
	timeout: within,
}, async (t) => {
	const root = fileURLToPath(new URL("../../", import.meta.url));
	const rehearsal = spawn(process.execPath, ["scripts/rehearse.ts"], { cwd: root, stdio: ["ignore", "pipe", "pipe"] });
	// It takes everything it started with it.
	process.once("SIGTERM", () => rehearsal.kill("SIGTERM"));
	t.after(() => rehearsal.kill("SIGTERM"));
	let said = "";
	for (const stream of [rehearsal.stdout, rehearsal.stderr])
		stream.setEncoding("utf8").on("data", (text: string) => {
			said += text;
			// So that whoever waits sees how far it is.
			process.stdout.write(text);
		});
	const code = await new Promise<number | null>((resolve) => rehearsal.once("close", resolve));
	if (code === notHere) return t.skip(/Not rehearsed: (.*)/.exec(said)?.[1] ?? said);
	assert.equal(code, 0, said.slice(-20_000));
	for (const line of said
		.split("\n")
		.filter((one) => /blackout|without a complete|messages acknowledged|systemd-analyze|Rehearsed/.test(one)))
		t.diagnostic(line.trim());
	for (const scene of ["First deployment", "Rolling deployment", "cannot deliver", "Rolling back", "Scale-in", "is killed"])
		assert.ok(said.includes(scene), `no scene ${scene}`);
});
