import { fileURLToPath } from "node:url";
import { vitePlugin as remix } from "@remix-run/dev";
import { defineConfig, type Plugin, type ViteDevServer } from "vite";
import { compressAssets } from "./scripts/compress-assets.ts";

/**
 * Lets Remix's own `npx remix vite:dev` bring up the whole chat: Vite's server is handed to the same composition root
 * that `npm run dev` and `npm start` use. Stands before Remix's plugin, so that our handler (which knows the load
 * context) answers before Remix's own, which does not.
 */
function charla(): Plugin {
	return {
		name: "charla",
		apply: "serve",
		async configureServer(vite: ViteDevServer) {
			// In middleware mode server.ts runs the show already.
			if (vite.config.server.middlewareMode || !vite.httpServer) return;
			// Remix compiles routes with a second server, without a configuration file, that never listens.
			if (!vite.config.configFile) return;
			const { startCharla } = await import("./server.ts");
			const { readConfig } = await import("./app/config.server.ts");
			// Vite starts the new server before it ends the old one when this file changes; the database has one owner.
			const kept = globalThis as { charlaOfVite?: Awaited<ReturnType<typeof startCharla>> };
			await kept.charlaOfVite?.stop();
			const running = await startCharla(readConfig({ ...process.env, DRAIN_SECONDS: "0" }, { dev: true }), vite.httpServer as never);
			kept.charlaOfVite = running;
			vite.httpServer.once("close", () => void running.stop());
			for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => running.stop().then(() => process.exit(0)));
			vite.middlewares.use(running.front);
			return () => {
				const build = () => vite.ssrLoadModule("virtual:remix/server-build") as never;
				vite.middlewares.use(running.pages({ assets: [], build, mode: "development" }));
			};
		},
	};
}

/** For the server to send: a laptop, and a single server, have nobody else to compress. */
function compressed(): Plugin {
	return {
		name: "charla-compressed",
		// The server's half is built last, and adds what only it names to the browser's files.
		apply: (_config, { command, isSsrBuild }) => command === "build" && isSsrBuild === true,
		closeBundle: () => compressAssets(fileURLToPath(new URL("build", import.meta.url))),
	};
}

export default defineConfig({
	plugins: [
		charla(),
		compressed(),
		remix({
			// A test beside a route is not a page.
			ignoredRouteFiles: ["**/*.test.*"],
			future: {
				v3_fetcherPersist: true,
				// A handful of routes: asking the server for them link by link costs more than sending all, and fails while it is away.
				v3_lazyRouteDiscovery: false,
				v3_relativeSplatPath: true,
				v3_routeConfig: true,
				v3_singleFetch: true,
				v3_throwAbortReason: true,
			},
		}),
	],
	// Charla's own sockets live on the same port; Vite answers only upgrades that speak its protocol.
	server: { port: 5173 },
	build: { target: "es2022", assetsInlineLimit: 0, modulePreload: { polyfill: false } },
	// All of them before the first page: one found late means two copies of React and a page that never comes alive (seen on a cold cache).
	optimizeDeps: {
		entries: ["app/entry.client.tsx", "app/root.tsx", "app/routes/*.tsx"],
		include: ["@remix-run/react", "idb-keyval", "react", "react-dom/client", "socket.io-client", "valibot", "web-vitals"],
	},
	resolve: {
		alias: [{ find: /^\.\/webtransport\.js$/, replacement: fileURLToPath(new URL("app/live/no-webtransport.ts", import.meta.url)) }],
	},
	// They cost every browser 2.4 KB; they stand in public/licenses.txt instead.
	esbuild: { legalComments: "none" },
});
