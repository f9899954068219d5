import assert from "node:assert/strict";
import { test } from "node:test";
import type { TracePart } from "../contract/ops.ts";
import type { Bus, BusListener, OpenBus } from "./bus.ts";
import { aloneBus } from "./bus-alone.ts";
import { openPeers } from "./peers.ts";
import { openTraceParts } from "./trace-parts.ts";

const traceId = "0193a7b200007000800000000000abcd";
const partOf = (instance: string): TracePart => ({ traceId, instance, spans: [], logs: [] });

/** A bus within this process, as the others are: whoever follows a channel hears it, a turn later. */
function openChannels(): OpenBus {
	const ends: { listener: BusListener; channels: Set<string> }[] = [];
	return (listener) => {
		const own = { listener, channels: new Set<string>() };
		ends.push(own);
		return {
			adapter: "workers",
			send(channel, text) {
				for (const end of ends) if (end !== own && end.channels.has(channel)) setImmediate(() => end.listener.heard(channel, text));
			},
			follow: (channel) => void own.channels.add(channel),
			unfollow: (channel) => void own.channels.delete(channel),
			isOpen: () => true,
			close: async () => {},
		} satisfies Bus;
	};
}

/** An instance that keeps its part of one trace, or nothing, or never answers. */
function instanceOn(
	openBus: OpenBus,
	self: string,
	others: readonly string[],
	keeps: "part" | "nothing" | "silent" = "part",
	within?: number,
) {
	const peers = openPeers({ openBus, instance: self, onError: (error) => assert.fail(String(error)) });
	const asked: string[] = [];
	if (keeps === "silent") return { asked, ask: () => assert.fail() };
	const ask = openTraceParts({
		peers,
		self,
		others: () => others,
		part(reference) {
			asked.push(reference);
			return keeps === "part" && traceId.startsWith(reference) ? partOf(self.split("#")[0] as string) : null;
		},
		...(within === undefined ? {} : { within }),
	});
	return { asked, ask };
}

test("[I20] whoever is asked about a trace answers with what it kept, or that this is nothing; one that is asked answers nobody else", async () => {
	const bus = openChannels();
	const all = ["a/1#x", "b/2#y", "c/3#z"];
	const others = (self: string) => all.filter((id) => id !== self);
	const a = instanceOn(bus, "a/1#x", others("a/1#x"));
	const b = instanceOn(bus, "b/2#y", others("b/2#y"));
	const c = instanceOn(bus, "c/3#z", others("c/3#z"), "nothing");
	for (const reference of [traceId, traceId.slice(0, 12)]) assert.deepEqual(await a.ask(reference), { parts: [partOf("b/2")], silent: [] });
	assert.deepEqual([a.asked.length, b.asked.length, c.asked.length], [0, 2, 2]);
	// Two who ask at once each have their own answers.
	const [toB, toC] = await Promise.all([b.ask(traceId), c.ask(traceId)]);
	assert.deepEqual(
		[toB, toC].map(({ parts, silent }) => [parts.map(({ instance }) => instance).sort(), silent]),
		[
			[["a/1"], []],
			[["a/1", "b/2"], []],
		],
	);
});

test("[I20] who does not answer in time is named, and what the others kept is there all the same", async () => {
	const bus = openChannels();
	const a = instanceOn(bus, "a/1#x", ["b/2#y", "c/3#z"], "part", 50);
	instanceOn(bus, "b/2#y", ["a/1#x", "c/3#z"]);
	instanceOn(bus, "c/3#z", [], "silent");
	assert.deepEqual(await a.ask(traceId), { parts: [partOf("b/2")], silent: ["c/3"] });
});

test("[I20] with no way to the others they are named at once, and alone nobody is waited for", async () => {
	// It would wait for a day.
	const day = 86_400_000;
	assert.deepEqual(await instanceOn(aloneBus, "a/1#x", ["b/2#y"], "part", day).ask(traceId), { parts: [], silent: ["b/2"] });
	assert.deepEqual(await instanceOn(openChannels(), "a/1#x", [], "part", day).ask(traceId), { parts: [], silent: [] });
});
