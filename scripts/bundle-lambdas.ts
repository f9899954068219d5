/**
 * `npm run bundle`: each function of lambdas/ as one file, build/lambdas/<name>/index.mjs, ready to be zipped and deployed.
 * AWS's clients stay outside: Lambda has them. `--whole` puts them in, for running a bundle where there is no Lambda.
 */
import { existsSync, globSync, mkdirSync, statSync, writeFileSync } from "node:fs";
import { isBuiltin } from "node:module";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { type BuildOptions, build } from "esbuild";

const root = fileURLToPath(new URL("../", import.meta.url));
export const bundlesFolder = join(root, "build/lambdas");

/** A bundle larger than this, bytes, starts slowly, and holds something it should not. */
export const bundleLimit = 1_000_000;

/** The functions there are: every folder of lambdas/ with a handler.ts. */
export const functionNames = (): string[] =>
	globSync("lambdas/*/handler.ts", { cwd: root })
		.map((file) => basename(dirname(file)))
		.sort();

/** How a function is bundled; whoever builds the infrastructure uses the same. */
export function bundleOptions(name: string, outfile: string, whole = false): BuildOptions {
	return {
		entryPoints: [join(root, "lambdas", name, "handler.ts")],
		outfile,
		bundle: true,
		platform: "node",
		target: "node24",
		format: "esm",
		minify: true,
		sourcemap: false,
		// Stacks in logs name functions as we do.
		keepNames: true,
		external: whole ? [] : ["@aws-sdk/*", "@smithy/*"],
		// Some of AWS's packages still ask for Node's modules by require, which an ES module does not have.
		banner: whole
			? { js: 'import { createRequire as __createRequire } from "node:module"; const require = __createRequire(import.meta.url);' }
			: {},
		logLevel: "warning",
	};
}

/** Bundles one function and answers where it is, how large, bytes, and which packages it leaves outside. */
export async function bundleLambda(
	name: string,
	options: { folder?: string; whole?: boolean } = {},
): Promise<{ file: string; bytes: number; outside: string[] }> {
	if (!existsSync(join(root, "lambdas", name, "handler.ts"))) throw new Error(`There is no lambdas/${name}/handler.ts.`);
	const file = join(options.folder ?? bundlesFolder, name, "index.mjs");
	mkdirSync(dirname(file), { recursive: true });
	const { metafile } = await build({ ...bundleOptions(name, file, options.whole), metafile: true });
	const imports = Object.values(metafile?.outputs ?? {}).flatMap((output) => output.imports);
	const outside = [...new Set(imports.filter((each) => each.external).map((each) => each.path))].filter((path) => !isBuiltin(path));
	// So that Node and Lambda take the folder for a package of ES modules, whatever lies above it.
	writeFileSync(join(dirname(file), "package.json"), '{ "type": "module" }\n');
	return { file, bytes: statSync(file).size, outside };
}

if (import.meta.main) {
	const whole = process.argv.includes("--whole");
	for (const name of functionNames()) {
		const { file, bytes } = await bundleLambda(name, { whole });
		console.log(`${name.padEnd(10)} ${(bytes / 1024).toFixed(0).padStart(6)} KiB  ${file}`);
		if (!whole && bytes > bundleLimit) {
			console.error(`${name} is larger than ${bundleLimit} bytes.`);
			process.exitCode = 1;
		}
	}
}
