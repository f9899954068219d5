import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { ownFolder, runApart, whyNotApart } from "../../scripts/rehearse/apart.ts";
import { whyNoCables } from "../../scripts/rehearse/network.ts";
import { bringProgram } from "../support/debian-package.ts";
import { versionBefore } from "../support/version-before.ts";
import { faultKinds } from "./faults.ts";
import type { ChaosOptions, ChaosReport } from "./run.ts";

const inside = fileURLToPath(new URL("./inside.ts", import.meta.url));

/** Lines for whoever watches go to `tell`; aborted, everything that was started ends at once. */
type Watched = { tell: (line: string) => void; signal?: AbortSignal };

/**
 * A run where its networks and mounts are its own, as root on Linux; elsewhere with what can be done by anybody. Which of the two is
 * among the first lines told.
 */
export async function startChaos(given: ChaosOptions, { tell, signal }: Watched): Promise<ChaosReport> {
	const options = withVersionBefore(given, tell);
	const why = whyNotApart() ?? (await bringNetwork());
	if (why !== null) {
		// Only now: with it come handlers of signals, for what it starts.
		const [{ runChaos }, { openProxies }] = await Promise.all([import("./run.ts"), import("./network.ts")]);
		return runChaos(options, openProxies(why), tell);
	}
	// In there is no network to bring them by.
	await bringProgram("haproxy");
	await bringProgram("redis-server");
	const folder = ownFolder("chaos");
	try {
		writeFileSync(join(folder, "options.json"), JSON.stringify(options));
		const errors: string[] = [];
		const { code } = await runApart(inside, [folder], {
			env: { ...process.env, TMPDIR: folder },
			hear: (stream, line) => (stream === "stdout" ? tell(line) : errors.push(line)),
			...(signal ? { signal } : {}),
		});
		if (signal?.aborted) throw new Error("The run was ended.");
		if (code !== 0) throw new Error(`The run failed:\n${errors.slice(-60).join("\n")}`);
		return JSON.parse(readFileSync(join(folder, "report.json"), "utf8")) as ChaosReport;
	} finally {
		rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
	}
}

/** Installs by apt, where that is ours to do, what makes networks; why there can be none all the same, or null. */
export async function bringNetwork(): Promise<string | null> {
	await bringProgram("tc");
	return whyNoCables();
}

/** Two versions side by side are left out where there is no second one. */
function withVersionBefore({ kinds = faultKinds, ...others }: ChaosOptions, tell: (line: string) => void): ChaosOptions {
	if (!kinds.includes("rolling-versions")) return { ...others, kinds };
	const before = versionBefore(tell);
	if ("root" in before) {
		tell(`the version before this one is ${before.commit}`);
		return { ...others, kinds, before: before.root };
	}
	tell(`rolling-versions is left out: ${before.why}`);
	return { ...others, kinds: kinds.filter((kind) => kind !== "rolling-versions") };
}
