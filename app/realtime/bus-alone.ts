import type { OpenBus } from "./bus.ts";

/** Nobody to tell: one process on its own, or several that know of each other by the database alone. */
export const aloneBus: OpenBus = () => ({
	adapter: "memory",
	send() {},
	follow() {},
	unfollow() {},
	isOpen: () => false,
	close: async () => {},
});
