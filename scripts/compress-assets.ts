import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, extname, join } from "node:path";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";

/** What compresses. Images and fonts are compressed by themselves. */
const texts = new Set([".js", ".css", ".svg", ".json", ".txt"]);

/** As small as they get: it is done once, and sent again and again. */
const codings: Record<string, (bytes: Buffer) => Buffer> = {
	br: (bytes) => brotliCompressSync(bytes, { params: { [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length } }),
	gzip: (bytes) => gzipSync(bytes, { level: constants.Z_BEST_COMPRESSION }),
};

/**
 * Makes `compressed/br` and `compressed/gzip` anew beside `client` in a build: its assets, each under its own name, for the server to send
 * to whoever takes them (app/http/assets.server.ts). What gets no smaller is not there. `client` stays as it was: it is what goes to a bucket.
 */
export function compressAssets(build: string): void {
	const from = join(build, "client/assets");
	const names = readdirSync(from, { recursive: true, encoding: "utf8" }).filter((name) => texts.has(extname(name)));
	rmSync(join(build, "compressed"), { recursive: true, force: true });
	for (const name of names) {
		const bytes = readFileSync(join(from, name));
		for (const [coding, compress] of Object.entries(codings)) {
			const compressed = compress(bytes);
			if (compressed.length >= bytes.length) continue;
			const to = join(build, "compressed", coding, name);
			mkdirSync(dirname(to), { recursive: true });
			writeFileSync(to, compressed);
		}
	}
}
