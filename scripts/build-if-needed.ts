import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, globSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../", import.meta.url));
const stamp = join(root, "build/stamp");
const made = ["build/server/index.js", "build/client", "build/compressed"];

/**
 * Builds the pages, unless what is in build/ was made of the very same sources. True when it built. Throws when the build
 * fails, or when what it needs is not installed.
 */
export async function buildIfNeeded(): Promise<boolean> {
	const wanted = fingerprint(root);
	if (made.every((path) => existsSync(join(root, path))) && readStamp() === wanted) return false;
	const remix = join(root, "node_modules/@remix-run/dev/dist/cli.js");
	if (!existsSync(remix)) throw new Error("The pages are not built, and what builds them is not installed: run npm ci first.");
	console.log("Building the pages, once for these sources ...");
	// A build that dies half way must not pass for the one before it.
	rmSync(stamp, { force: true });
	await build(remix);
	mkdirSync(join(root, "build"), { recursive: true });
	writeFileSync(stamp, `${wanted}\n`);
	return true;
}

/** A hash of everything the build is made of: names and contents, so that a renamed or deleted file counts too. */
export function fingerprint(folder: string): string {
	const hash = createHash("sha256");
	const sources = globSync(
		[
			"app/**",
			"observability/browser/**",
			"public/**",
			"scripts/compress-assets.ts",
			"vite.config.ts",
			"tsconfig.json",
			"package.json",
			"package-lock.json",
		],
		{ cwd: folder },
	);
	for (const source of sources.sort()) {
		if (/\.test\.tsx?$/.test(source) || !statSync(join(folder, source)).isFile()) continue;
		const content = readFileSync(join(folder, source));
		hash.update(`${source}\0${content.length}\0`).update(content);
	}
	return hash.digest("hex");
}

function readStamp(): string | null {
	return existsSync(stamp) ? readFileSync(stamp, "utf8").trim() : null;
}

function build(remix: string): Promise<void> {
	return new Promise((resolve, reject) => {
		const env: NodeJS.ProcessEnv = { ...process.env, NODE_ENV: "production" };
		const child = spawn(process.execPath, [remix, "vite:build"], { cwd: root, stdio: ["ignore", "inherit", "inherit"], env });
		child.on("error", reject);
		child.on("close", (code) => (code === 0 ? resolve() : reject(new Error(`The build ended with ${code}.`))));
	});
}

if (import.meta.main) {
	try {
		await buildIfNeeded();
	} catch (error) {
		console.error(error instanceof Error ? error.message : error);
		process.exitCode = 1;
	}
}
