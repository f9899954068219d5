declare module "dynalite" {
	import type { Server } from "node:http";

	/** Only what tests use. */
	function dynalite(options: { createTableMs?: number; updateTableMs?: number; deleteTableMs?: number }): Server;

	export = dynalite;
}
