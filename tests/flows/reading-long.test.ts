import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { CDPSession, Page } from "playwright-core";
import { limits } from "../../app/contract/limits.ts";
import type { TestCharla } from "../support/charla.ts";
import { fromEnd, isInSight, isLive, line, scroller, settled, wheel } from "../support/flow-b-page.ts";
import {
	eventually,
	freshName,
	hasReadAll,
	noProblems,
	openStage,
	roomWith,
	type Stage,
	visit,
	writePast,
} from "../support/flow-b-people.ts";
import { long } from "../support/long.ts";

let charla: TestCharla;
let stage: Stage;
before(async () => {
	stage = await openStage();
	charla = stage.charla;
});
after(() => stage.close());

/** Messages a page may hold, whatever the room: twice what it keeps. */
const MOST_NODES = 400;

/** A room with so many messages of two people, some long, some marked up, read by the one who opens it. */
async function longRoom(count: number) {
	const ana = await charla.chat.people.enter({ name: freshName("Ana") });
	const bruno = await charla.chat.people.enter({ name: freshName("Bruno") });
	const room = await roomWith(charla, ana, [bruno]);
	const now = Date.now();
	const words = "and the rest of it goes on for as long as somebody had something to say about the matter. ";
	const first = await writePast(
		charla,
		room.id,
		Array.from({ length: count }, (_, at) => ({
			author: at % 7 < 4 ? ana : bruno,
			body:
				at % 11 === 0
					? `Message ${at}:\n\n\`\`\`js\nconst answer = ${at};\n\`\`\`\n\n- a\n- list`
					: `Message ${at} ${words.repeat(at % 5)}`,
			at: now - (count - at) * 60_000,
		})),
	);
	await hasReadAll(charla, bruno, room.id);
	return { ana, bruno, room, first, path: `/rooms/${room.id}` };
}

/**
 * Scrolls up by a screen and more each time and looks, in the very frames in which older messages come, where a line that stays in
 * sight stands. Gives how far it moved by itself, px, each time something was loaded.
 */
async function watchLoads(page: Page, wanted: number, input: (by: number) => Promise<void>): Promise<number[]> {
	await page.evaluate(() => {
		const box = document.querySelector("[data-seq]")?.closest("section") as HTMLElement;
		const moves: number[] = [];
		Object.assign(window, { moves });
		let oldest = document.querySelector<HTMLElement>("[data-seq]")?.dataset.seq;
		let known: { row: HTMLElement; top: number } | null = null;
		const look = () => {
			const edge = box.getBoundingClientRect().top;
			const row = [...box.querySelectorAll<HTMLElement>("[data-seq]")].find((each) => each.getBoundingClientRect().top > edge);
			known = row ? { row, top: row.getBoundingClientRect().top } : null;
		};
		// React changes the page and puts the place right in one go; nothing is painted in between. A microtask later is now.
		new MutationObserver(() => {
			const now = document.querySelector<HTMLElement>("[data-seq]")?.dataset.seq;
			if (now === oldest) return;
			oldest = now;
			// A row that was made anew has lost its focus, its selection and its place.
			if (known) moves.push(known.row.isConnected ? known.row.getBoundingClientRect().top - known.top : Number.MAX_VALUE);
			look();
		}).observe(box, { childList: true, subtree: true });
		box.addEventListener("scroll", look);
		look();
	});
	const moves = () => page.evaluate(() => (window as unknown as { moves: number[] }).moves);
	for (let turn = 0; turn < 80 && (await moves()).length < wanted; turn++) {
		await input(-1000);
		await settled(page);
	}
	return moves();
}

test("[29] loading older messages moves what is being read by no more than a pixel, by wheel, keyboard and touch", async () => {
	const { bruno, path } = await longRoom(900);
	await using reader = await visit(charla, { me: bruno, path });
	await isLive(reader.page);
	// Five times is beyond what the page keeps: newer messages are dropped below meanwhile.
	const byWheel = await watchLoads(reader.page, 6, (by) => wheel(reader.page, by));
	assert.ok(byWheel.length >= 6, `wheel loaded ${byWheel.length} times`);
	assert.ok(
		byWheel.every((by) => Math.abs(by) <= 1),
		`by wheel: ${byWheel}`,
	);

	await using other = await visit(charla, { me: bruno, path });
	await isLive(other.page);
	await scroller(other.page).focus();
	const byKeys = await watchLoads(other.page, 3, () => other.page.keyboard.press("PageUp"));
	assert.ok(byKeys.length >= 3, `keys loaded ${byKeys.length} times`);
	assert.ok(
		byKeys.every((by) => Math.abs(by) <= 1),
		`by keyboard: ${byKeys}`,
	);

	await using phone = await visit(charla, { me: bruno, path, viewport: { width: 360, height: 740 }, hasTouch: true, isMobile: true });
	await isLive(phone.page);
	const touch = await phone.context.newCDPSession(phone.page);
	const byTouch = await watchLoads(phone.page, 3, (by) => swipe(touch, -by));
	assert.ok(byTouch.length >= 3, `touch loaded ${byTouch.length} times`);
	assert.ok(
		byTouch.every((by) => Math.abs(by) <= 1),
		`by touch: ${byTouch}`,
	);
	noProblems(reader, other, phone);
});

/** A finger drawn over the messages and let go while it moves. Positive shows what is above. */
async function swipe(session: CDPSession, by: number): Promise<void> {
	const from = by > 0 ? 150 : 600;
	const steps = 8;
	const at = (step: number) => [{ x: 180, y: from + (by * step) / steps }];
	await session.send("Input.dispatchTouchEvent", { type: "touchStart", touchPoints: at(0) });
	for (let step = 1; step <= steps; step++) await session.send("Input.dispatchTouchEvent", { type: "touchMove", touchPoints: at(step) });
	await session.send("Input.dispatchTouchEvent", { type: "touchEnd", touchPoints: [] });
}

long("[33] a room of 10,000 messages holds few of them in the page, scrolls like one of 50 and gives its memory back", async () => {
	const [short, long] = [await longRoom(50), await longRoom(10_000)];
	await using inShort = await visit(charla, { me: short.bruno, path: short.path });
	await isLive(inShort.page);
	await using reader = await visit(charla, { me: long.bruno, path: long.path });
	const { page } = reader;
	await isLive(page);
	const session = await reader.context.newCDPSession(page);
	// Side by side, and the best of a few rounds: what else the machine does hits one of them or the other, never both always.
	let ratio = Number.POSITIVE_INFINITY;
	const slowest = { short: Number.POSITIVE_INFINITY, long: Number.POSITIVE_INFINITY };
	for (let round = 0; round < 5 && !(ratio <= 2); round++) {
		slowest.short = Math.min(slowest.short, p95(await framesWhileScrolling(inShort.page)));
		slowest.long = Math.min(slowest.long, p95(await framesWhileScrolling(page)));
		ratio = slowest.long / slowest.short;
	}
	await inShort.close();
	// Once every part of the page has been at work: what grows from here on is what is kept of the messages.
	for (let turn = 0; turn < 2; turn++) await wheel(page, -2000);
	await settled(page);
	const heapBefore = await heapOf(session);

	// To the top, by what the page offers for it: scrolling, then the first message's own address; and back to the end.
	let most = 0;
	for (let turn = 0; turn < 12; turn++) {
		await wheel(page, -4000);
		await settled(page);
		most = Math.max(most, await page.locator("[data-seq]").count());
	}
	await page.evaluate(
		(to) => (window as unknown as { __remixRouter: { navigate(to: string): Promise<void> } }).__remixRouter.navigate(to),
		`${long.path}?at=${long.first}`,
	);
	await line(page, long.first).waitFor();
	await page.getByText(/^This is where .* begins$/).waitFor();
	most = Math.max(most, await page.locator("[data-seq]").count());
	assert.ok(most <= MOST_NODES, `${most} messages in the page`);
	assert.ok(most <= limits.mounted + limits.window, `${most} messages in the page`);
	assert.ok(most > limits.window, "history was loaded");

	await page.getByRole("button", { name: "Back to now" }).click();
	await line(page, long.first + 9_999).waitFor();
	await eventually(async () => assert.ok((await fromEnd(page)) <= 1));
	assert.ok(await isInSight(page, long.first + 9_999));
	const heapAfter = await heapOf(session);
	assert.ok(heapAfter <= heapBefore * 1.5, `heap ${Math.round(heapBefore / 1024)} -> ${Math.round(heapAfter / 1024)} KB`);

	await page.goto(`${long.path}?at=${long.first}`);
	await line(page, long.first).waitFor();
	await page.getByText(/^This is where .* begins$/).waitFor();
	assert.ok((await page.locator("[data-seq]").count()) <= MOST_NODES);

	assert.ok(ratio <= 2, `slowest frames: ${slowest.short.toFixed(1)} ms with 50 messages, ${slowest.long.toFixed(1)} ms with 10,000`);
	noProblems(reader);
});

const p95 = (times: number[]) => [...times].sort((a, b) => a - b)[Math.floor(times.length * 0.95)] as number;

/** Bytes in use once everything that can go is gone. */
async function heapOf(session: CDPSession): Promise<number> {
	await session.send("HeapProfiler.enable");
	await session.send("HeapProfiler.collectGarbage");
	const { usedSize } = await session.send("Runtime.getHeapUsage");
	return usedSize;
}

/** Scrolls up and down within one screen's reach for 60 frames; how long each took, ms. */
async function framesWhileScrolling(page: Page): Promise<number[]> {
	return scroller(page).evaluate(async (box) => {
		const next = () => new Promise<number>((done) => requestAnimationFrame(done));
		const times: number[] = [];
		let before = await next();
		for (let frame = 0; frame < 60; frame++) {
			box.scrollTop += frame % 20 < 10 ? -30 : 30;
			const now = await next();
			times.push(now - before);
			before = now;
		}
		return times;
	});
}
