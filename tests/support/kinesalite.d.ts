declare module "kinesalite" {
	import type { Server } from "node:http";

	/** Only what tests use. */
	function kinesalite(options: { createStreamMs?: number; deleteStreamMs?: number; updateStreamMs?: number }): Server;

	export = kinesalite;
}
