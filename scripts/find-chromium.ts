import { spawn } from "node:child_process";
import { accessSync, constants, existsSync, readFileSync } from "node:fs";
import { delimiter, join } from "node:path";

/** Where Chromium lives under its various names: CHROMIUM_PATH first, then the search path, then where macOS keeps it. */
export function findChromium(env: Record<string, string | undefined> = process.env): string | null {
	const names = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];
	const folders = [...(env.PATH ?? "").split(delimiter).filter(Boolean), "/usr/bin", "/usr/local/bin", "/snap/bin"];
	const places = [
		...(env.CHROMIUM_PATH ? [env.CHROMIUM_PATH] : []),
		...names.flatMap((name) => folders.map((folder) => join(folder, name))),
		"/Applications/Chromium.app/Contents/MacOS/Chromium",
		"/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
	];
	return places.find(isProgram) ?? null;
}

/**
 * Chromium's path, installed first where that is ours to do: on Debian and its kin, as root. Throws with a sentence that
 * says what to install everywhere else.
 */
export async function bringChromium(): Promise<string> {
	const found = findChromium();
	if (found) return found;
	if (!isDebian() || process.getuid?.() !== 0) throw new Error(whatToInstall());
	console.log("Chromium is not here; installing it with apt-get ...");
	await run("apt-get", ["update"]);
	await run("apt-get", ["install", "-y", "--no-install-recommends", "chromium"]);
	const installed = findChromium();
	if (!installed) throw new Error(`apt-get brought no Chromium that runs. ${whatToInstall()}`);
	return installed;
}

function whatToInstall(): string {
	const how =
		process.platform === "darwin"
			? "brew install --cask chromium"
			: isDebian()
				? "sudo apt-get install chromium"
				: "your system's package manager, package chromium";
	return `The browser tests need Chromium or Google Chrome: install it (${how}), or say where it is with CHROMIUM_PATH.`;
}

function isProgram(path: string): boolean {
	try {
		accessSync(path, constants.X_OK);
		return true;
	} catch {
		// Not here, or not to be run by us.
		return false;
	}
}

function isDebian(): boolean {
	if (!existsSync("/etc/os-release")) return false;
	return /^ID(_LIKE)?=.*\b(debian|ubuntu)\b/m.test(readFileSync("/etc/os-release", "utf8"));
}

function run(command: string, args: string[]): Promise<void> {
	return new Promise((resolve, reject) => {
		const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
		const child = spawn(command, args, { stdio: ["ignore", "inherit", "inherit"], env });
		child.on("error", reject);
		child.on("close", (code) => (code === 0 ? resolve() : reject(new Error(`${command} ${args.join(" ")} ended with ${code}`))));
	});
}
