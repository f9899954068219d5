import { type Cable, discipline, joinNetwork, layCable, network, openNetwork } from "../../scripts/rehearse/network.ts";
import { mustRun } from "../../scripts/rehearse/program.ts";
import { type Link, type LinkState, type Links, openLinks } from "./links.ts";

/** What an instance needs: by TCP, and also by a socket file where it has one. */
export type Service = { port: number; path?: string };

/** Where an instance is. Each of its lines is cut and delayed on its own. */
export type Place = {
	/** It is asked here. */
	address: string;
	/** The network namespace it runs in, null: ours. */
	namespace: string | null;
	/** Its own line to something it needs. */
	line(to: Service): Promise<Link>;
};

/** The network between instances and what they need, in one of two ways. */
export type Network = {
	/** Which of the two it is, for whoever watches. */
	what: string;
	/** Whether instances come over a network of their own: what they need must listen for them, not on this machine alone. */
	isApart: boolean;
	/** Gives the n-th instance, from 1, its place. */
	join(n: number): Promise<Place>;
	/** Lines of people, which are carried by a thread of ours either way. */
	links: Links;
	close(): void;
};

const open: LinkState = { kind: "open" };

/** Every byte goes through a thread of ours, which holds it back: it needs no root, and loses no packet. */
export function openProxies(because: string): Network {
	const links = openLinks();
	return {
		what: `lines are carried by a proxy, which holds bytes back and drops no packet: ${because}`,
		isApart: false,
		join: async () => ({
			address: "127.0.0.1",
			namespace: null,
			line: ({ port, path }) => links.open(path ? { path } : { host: "127.0.0.1", port }),
		}),
		links,
		close: links.close,
	};
}

/**
 * Every instance has a network namespace, and a cable of its own to each thing it needs: cut, its packets are dropped by the kernel
 * in both directions. Only in namespaces made for it (`runApart`), with which it ends.
 */
export async function openCables(): Promise<Network> {
	await openNetwork();
	const links = openLinks();
	const delays = await delaysPackets();
	return {
		what: `each instance is in a network namespace; cut, its packets are dropped; late, they are delayed by ${
			delays ? "netem" : "a proxy at the far end, since this kernel has no netem"
		}`,
		isApart: true,
		async join(n) {
			const machine = `instance-${n}`;
			const address = network.host(n);
			let lines = 0;
			return {
				address,
				namespace: await joinNetwork(machine, address),
				line: async ({ port }) => byCable(await layCable(machine, n, ++lines), port, delays ? null : links),
			};
		},
		links,
		close: links.close,
	};
}

/** `proxies` carries what is to be late; null where the kernel does. */
async function byCable(cable: Cable, port: number, proxies: Links | null): Promise<Link> {
	const proxy = await proxies?.open({ host: "127.0.0.1", port }, cable.here);
	return {
		host: cable.here,
		port: proxy?.port ?? port,
		async set(state) {
			await proxy?.set(state.kind === "delayed" ? state : open);
			if (state.kind === "stalled") await discipline(cable, "blackhole");
			else if (state.kind === "delayed" && !proxy) await discipline(cable, "netem", "delay", `${state.ms}ms`);
			else await discipline(cable, "noqueue");
		},
	};
}

async function delaysPackets(): Promise<boolean> {
	try {
		await mustRun("tc", ["qdisc", "replace", "dev", "lo", "root", "netem", "delay", "1ms"]);
	} catch {
		return false;
	}
	await mustRun("tc", ["qdisc", "replace", "dev", "lo", "root", "noqueue"]);
	return true;
}
