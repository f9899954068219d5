import { clear, createStore, delMany, set, type UseStore, values } from "idb-keyval";
import type { Channel, Kept, LivePorts, Locks, QueueStore, Surroundings, TabNews, TextStore, Timers } from "./ports.ts";
import { recorderOfPage } from "./recording.ts";
import { socketAt } from "./socket.ts";

/** The browser as it is. Nothing is touched before it is used, so that the server can make one too. */
export function browserPorts(personId: string, url?: string): LivePorts {
	const recorder = recorderOfPage();
	return {
		...(recorder ? { recorder } : {}),
		timers: realTimers,
		openWire: socketAt(url),
		queue: keptQueue(personId),
		locks: tabLocks(),
		channel: tabChannel(personId),
		drafts: keptDrafts(personId),
		surroundings: realSurroundings,
		uuid,
	};
}

/**
 * Clears everything of a person from this browser: the queue and the drafts, in the other tabs too. For leaving:
 * whoever comes next must find nothing.
 */
export async function forget(personId: string): Promise<void> {
	const channel = tabChannel(personId);
	const stop = channel.listen(() => {});
	channel.tell({ kind: "forget" });
	for (const key of draftKeys(personId)) localStorage.removeItem(key);
	try {
		if (typeof indexedDB !== "undefined") await clear(createStore(queueName(personId), "pending"));
	} catch {
		// No database that opens: then nothing was kept in one.
	}
	stop();
}

export const realTimers: Timers = {
	now: () => Date.now(),
	after(ms, run) {
		const timer = setTimeout(run, ms);
		return () => clearTimeout(timer);
	},
	random: () => Math.random(),
};

/** `crypto.randomUUID` exists on https and localhost only; a team on a plain LAN address needs ids too. */
function uuid(): string {
	if (typeof crypto.randomUUID === "function") return crypto.randomUUID();
	const bytes = crypto.getRandomValues(new Uint8Array(16));
	bytes[6] = ((bytes[6] as number) & 0x0f) | 0x40;
	bytes[8] = ((bytes[8] as number) & 0x3f) | 0x80;
	const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
	return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

const queueName = (personId: string) => `charla-queue-${personId}`;

function keptQueue(personId: string): QueueStore {
	let store: UseStore | null = null;
	// Where there is no IndexedDB the page's own memory is the queue, and a reload forgets it.
	const open = () => {
		if (typeof indexedDB === "undefined") return null;
		store ??= createStore(queueName(personId), "pending");
		return store;
	};
	return {
		async all() {
			const at = open();
			return at ? await values<Kept>(at) : [];
		},
		async put(entry) {
			const at = open();
			if (at) await set(entry.clientId, entry, at);
		},
		async drop(clientIds) {
			const at = open();
			if (at) await delMany(clientIds, at);
		},
	};
}

function tabLocks(): Locks {
	return {
		get shared() {
			return typeof navigator !== "undefined" && navigator.locks !== undefined;
		},
		async hold(name, work) {
			if (typeof navigator !== "undefined" && navigator.locks) await navigator.locks.request(name, work);
			else await work();
		},
	};
}

function tabChannel(personId: string): Channel {
	let channel: BroadcastChannel | null = null;
	return {
		tell: (news) => channel?.postMessage(news),
		listen(listener) {
			if (typeof BroadcastChannel === "undefined") return () => {};
			const opened = new BroadcastChannel(`charla-queue-${personId}`);
			channel = opened;
			opened.onmessage = (event: MessageEvent<TabNews>) => listener(event.data);
			return () => {
				opened.close();
				if (channel === opened) channel = null;
			};
		},
	};
}

const draftPrefix = (personId: string) => `charla-draft-${personId}-`;

function draftKeys(personId: string): string[] {
	try {
		return Object.keys(localStorage).filter((key) => key.startsWith(draftPrefix(personId)));
	} catch {
		return [];
	}
}

function keptDrafts(personId: string): TextStore {
	const prefix = draftPrefix(personId);
	return {
		all() {
			return Object.fromEntries(draftKeys(personId).map((key) => [key.slice(prefix.length), localStorage.getItem(key) ?? ""]));
		},
		put(roomId, text) {
			try {
				if (text === "") localStorage.removeItem(prefix + roomId);
				else localStorage.setItem(prefix + roomId, text);
			} catch {
				// Full or forbidden: the draft lives as long as the page.
			}
		},
		listen(listener) {
			const hear = (event: StorageEvent) => {
				if (event.key === null) listener(null, "");
				else if (event.key.startsWith(prefix)) listener(event.key.slice(prefix.length), event.newValue ?? "");
			};
			window.addEventListener("storage", hear);
			return () => window.removeEventListener("storage", hear);
		},
	};
}

const realSurroundings: Surroundings = {
	isOnline: () => navigator.onLine,
	isVisible: () => document.visibilityState === "visible",
	listen(events) {
		const controller = new AbortController();
		const { signal } = controller;
		const turn = () => {
			if (document.visibilityState === "visible") return events.visible();
			// A phone may end a hidden page without another word.
			events.hidden();
			events.leaving();
		};
		window.addEventListener("online", () => events.online(), { signal });
		window.addEventListener("offline", () => events.offline(), { signal });
		document.addEventListener("visibilitychange", turn, { signal });
		document.addEventListener("freeze", () => events.hidden(), { signal });
		document.addEventListener("resume", () => events.resumed(), { signal });
		window.addEventListener("pageshow", (event) => event.persisted && events.resumed(), { signal });
		const leave = () => {
			events.hidden();
			events.leaving();
		};
		window.addEventListener("pagehide", leave, { signal });
		return () => controller.abort();
	},
};
