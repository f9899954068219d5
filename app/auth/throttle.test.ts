import assert from "node:assert/strict";
import { test } from "node:test";
import { openThrottle } from "./index.server.ts";

function at(start = 1_000_000) {
	let now = start;
	const throttle = openThrottle({ clock: () => now });
	return {
		throttle,
		pass: (ms: number): void => {
			now += ms;
		},
		take: (rate: { burst: number; perSecond: number }, key: string, times: number) => {
			for (let i = 0; i < times; i++) throttle(rate, key);
		},
	};
}
const rate = { burst: 10, perSecond: 1 };

test("[S3] a burst passes at once, the next is refused with the seconds until it may", () => {
	const t = at();
	t.take(rate, "ana", 10);
	assert.throws(() => t.throttle(rate, "ana"), { code: "too-fast", details: { seconds: 1 } });
	t.pass(999);
	assert.throws(() => t.throttle(rate, "ana"), { code: "too-fast" });
	t.pass(1);
	t.throttle(rate, "ana");
	assert.throws(() => t.throttle(rate, "ana"), { code: "too-fast" });
});

test("[S3] the seconds told are enough, also at a slow rate, and being refused costs nothing", () => {
	const t = at();
	const slow = { burst: 1, perSecond: 1 / 60 };
	t.throttle(slow, "ana");
	for (let i = 0; i < 50; i++) assert.throws(() => t.throttle(slow, "ana"), { details: { seconds: 60 } });
	t.pass(25_000);
	assert.throws(() => t.throttle(slow, "ana"), { details: { seconds: 35 } });
	t.pass(35_000);
	t.throttle(slow, "ana");
});

test("[S3] one person's haste does not slow another, and rest restores the burst and no more", () => {
	const t = at();
	t.take(rate, "ana", 10);
	t.take(rate, "ben", 10);
	t.pass(3_600_000);
	t.take(rate, "ana", 10);
	assert.throws(() => t.throttle(rate, "ana"), { code: "too-fast" });
});

test("[S3] what a sweep forgets was full: nobody gains by it", () => {
	const t = at();
	const slow = { burst: 60, perSecond: 60 / 3600 };
	t.take(slow, "address", 60);
	for (let minute = 1; minute <= 10; minute++) {
		t.pass(61_000);
		t.throttle(rate, `stranger ${minute}`);
		t.throttle(slow, "address");
		assert.throws(() => t.throttle(slow, "address"), { code: "too-fast" }, `minute ${minute}`);
	}
});

test("[S3] off means off", () => {
	const throttle = openThrottle({ clock: () => 0, off: true });
	for (let i = 0; i < 1000; i++) throttle(rate, "ana");
});
