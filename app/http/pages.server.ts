import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import type { Server as HttpServer } from "node:http";
import { createRequire } from "node:module";
import path from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import type { ServerBuild } from "@remix-run/node";
import { builtAssets } from "./assets.server.ts";
import type { Pages } from "./index.server.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const serverBuild = path.join(root, "build/server/index.js");

/** Names the build: what a page compares to know that a newer one is served. */
export function buildId(): string {
	if (!existsSync(serverBuild)) return "unbuilt";
	return createHash("sha256").update(readFileSync(serverBuild)).digest("hex").slice(0, 12);
}

/** The pages `remix vite:build` made. */
export async function builtPages(): Promise<Pages> {
	if (!existsSync(serverBuild)) throw new Error("Charla is not built yet. Run: npm run build");
	const build = (await import(pathToFileURL(serverBuild).href)) as ServerBuild;
	return { assets: builtAssets(path.join(root, "build")), build, mode: "production" };
}

/** Pages straight from the sources, with hot replacement over the same http server: one port. */
export async function vitePages(http: HttpServer): Promise<Pages> {
	// Loaded only here: Vite is not part of what is deployed.
	const { createServer } = (await import(createRequire(import.meta.url).resolve("vite"))) as typeof import("vite");
	const vite = await createServer({ root, server: { middlewareMode: true, hmr: { server: http } } });
	return {
		assets: [vite.middlewares as unknown as Pages["assets"][number]],
		build: () => vite.ssrLoadModule("virtual:remix/server-build") as Promise<ServerBuild>,
		mode: "development",
	};
}
