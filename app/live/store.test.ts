import assert from "node:assert/strict";
import { test } from "node:test";
import { openStore } from "./store.ts";

test("changes of one turn are told once, and the last of them is what is told", async () => {
	const store = openStore(0);
	const told: number[] = [];
	store.subscribe(() => told.push(store.told()));
	for (let change = 1; change <= 100; change++) store.update((state) => state + 1);
	assert.equal(store.get(), 100);
	assert.deepEqual(told, []);
	await Promise.resolve();
	assert.deepEqual(told, [100]);
	store.update((state) => state);
	await Promise.resolve();
	assert.deepEqual(told, [100], "no change, nothing to tell");
});

// A page is drawn in a microtask of its own, which may fall between a change and its telling.
test("whoever draws between a change and its telling draws what was told before", async () => {
	const store = openStore({ pending: ["Hello"], messages: [] as string[] });
	const drawn: unknown[] = [];
	store.subscribe(() => {
		queueMicrotask(() => drawn.push(store.told()));
	});
	store.update((state) => ({ ...state, messages: [] }));
	queueMicrotask(() => store.update(() => ({ pending: [], messages: ["Hello"] })));
	await new Promise((done) => setTimeout(done));
	assert.deepEqual(drawn, [
		{ pending: ["Hello"], messages: [] },
		{ pending: [], messages: ["Hello"] },
	]);
});
