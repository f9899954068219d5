import type { Channel, Kept, LivePorts, Locks, QueueStore, Surroundings, TabNews, TextStore, Timers } from "./ports.ts";

/** A clock that only moves when told, so that a test of thirty seconds takes none. */
export function fakeClock(
	start = 1_800_000_000_000,
): Timers & { run(ms: number): Promise<void>; forward(ms: number): void; pending(): number } {
	let now = start;
	let ids = 0;
	let seed = 7;
	const queue = new Map<number, { at: number; id: number; run: () => void }>();
	const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

	return {
		now: () => now,
		random() {
			seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648;
			return seed / 2_147_483_648;
		},
		after(ms, run) {
			const id = ++ids;
			queue.set(id, { at: now + Math.max(0, ms), id, run });
			return () => queue.delete(id);
		},
		/** Runs everything due within `ms`, with a turn of the event loop after each step. */
		async run(ms) {
			const end = now + ms;
			await turn();
			for (;;) {
				const next = [...queue.values()].filter((t) => t.at <= end).sort((a, b) => a.at - b.at || a.id - b.id)[0];
				if (!next) break;
				queue.delete(next.id);
				now = Math.max(now, next.at);
				next.run();
				await turn();
			}
			now = end;
			await turn();
		},
		/** Time that passes without any timer running: a sleeping machine. */
		forward(ms) {
			now += ms;
		},
		pending: () => queue.size,
	};
}

/** What several tabs of one browser share: the kept queue, locks, the channel between them, drafts. */
export function fakeBrowser() {
	const kept = new Map<string, Kept>();
	const drafts = new Map<string, string>();
	const tabs = new Set<(news: TabNews) => void>();
	const draftTabs = new Set<(roomId: string | null, text: string) => void>();
	const lines = new Map<string, Promise<void>>();
	let uuids = 0;

	const locks: Locks = {
		shared: true,
		hold(name, work) {
			const before = lines.get(name) ?? Promise.resolve();
			const mine = before.then(work, work);
			lines.set(
				name,
				mine.catch(() => {}),
			);
			return mine;
		},
	};
	const queue: QueueStore = {
		all: async () => structuredClone([...kept.values()]),
		async put(entry) {
			kept.set(entry.clientId, structuredClone(entry));
		},
		async drop(clientIds) {
			for (const clientId of clientIds) kept.delete(clientId);
		},
	};

	function channel(): Channel {
		let own: ((news: TabNews) => void) | null = null;
		return {
			tell(news) {
				const copy = structuredClone(news);
				for (const tab of tabs) if (tab !== own) queueMicrotask(() => tab(copy));
			},
			listen(listener) {
				own = listener;
				tabs.add(listener);
				return () => tabs.delete(listener);
			},
		};
	}

	function draftStore(): TextStore {
		let own: ((roomId: string | null, text: string) => void) | null = null;
		return {
			all: () => Object.fromEntries(drafts),
			put(roomId, text) {
				if (text === "") drafts.delete(roomId);
				else drafts.set(roomId, text);
				for (const tab of draftTabs) if (tab !== own) tab(roomId, text);
			},
			listen(listener) {
				own = listener;
				draftTabs.add(listener);
				return () => draftTabs.delete(listener);
			},
		};
	}

	return {
		kept,
		drafts,
		locks,
		/** Ports of one more tab. */
		tab(timers: Timers, openWire: LivePorts["openWire"]): LivePorts & { surroundings: FakeSurroundings } {
			return {
				timers,
				openWire,
				queue,
				locks,
				channel: channel(),
				drafts: draftStore(),
				surroundings: fakeSurroundings(),
				uuid: () => `00000000-0000-4000-8000-${String(++uuids).padStart(12, "0")}`,
			};
		},
		/** Says what another tab would say. */
		tell(news: TabNews) {
			for (const tab of tabs) tab(news);
		},
	};
}

type FakeSurroundings = Surroundings & {
	online: boolean;
	visible: boolean;
	fire(event: "online" | "offline" | "visible" | "hidden" | "resumed" | "leaving"): void;
};

function fakeSurroundings(): FakeSurroundings {
	const listeners = new Set<Parameters<Surroundings["listen"]>[0]>();
	const self: FakeSurroundings = {
		online: true,
		visible: true,
		isOnline: () => self.online,
		isVisible: () => self.visible,
		listen(events) {
			listeners.add(events);
			return () => listeners.delete(events);
		},
		fire(event) {
			if (event === "online" || event === "offline") self.online = event === "online";
			if (event === "visible" || event === "hidden") self.visible = event === "visible";
			for (const events of [...listeners]) events[event]();
		},
	};
	return self;
}
