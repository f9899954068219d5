import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { Page } from "playwright-core";
import { limits } from "../../app/contract/limits.ts";
import type { TestCharla } from "../support/charla.ts";
import { say } from "../support/chat.ts";
import { calm, composer, fromEnd, isInSight, isLive, line, offsetOf, send, seqsInSight, settled, wheel } from "../support/flow-b-page.ts";
import { eventually, freshName, hasReadAll, noProblems, openStage, roomWith, type Stage, sayAll, visit } from "../support/flow-b-people.ts";
import { long } from "../support/long.ts";

let charla: TestCharla;
let stage: Stage;
before(async () => {
	stage = await openStage();
	charla = stage.charla;
});
after(() => stage.close());

const lines = (count: number, word = "Line") =>
	Array.from({ length: count }, (_, at) => `${word} ${at + 1} of ${count}, and some words that make it one.`);

/** Two people in a room in which one has said `count` things that the other has read. */
async function scene(count: number) {
	const ana = await charla.chat.people.enter({ name: freshName("Ana") });
	const bruno = await charla.chat.people.enter({ name: freshName("Bruno") });
	const room = await roomWith(charla, ana, [bruno]);
	const seqs = await sayAll(charla, ana, room.id, lines(count));
	await hasReadAll(charla, bruno, room.id);
	return { ana, bruno, room, seqs, path: `/rooms/${room.id}` };
}

test("[26] a room with nothing unread opens at the end, one with unread messages at the divider", async () => {
	const { ana, bruno, room, path } = await scene(40);
	await using reader = await visit(charla, { me: bruno, path });
	assert.ok((await fromEnd(reader.page)) <= 1, "opens at the end");
	assert.equal(await reader.page.locator(".unread-mark").count(), 0);

	await reader.page.goto("/people");
	const unread = await sayAll(charla, ana, room.id, lines(40, "News"));
	await using again = await visit(charla, { me: bruno, path });
	await again.page.getByText("New", { exact: true }).waitFor();
	const first = unread[0] as number;
	await eventually(async () => assert.ok(await isInSight(again.page, first), "the first unread message is in sight"));
	assert.ok((await fromEnd(again.page)) > 100, "and it is not the end");
	const order = await again.page.evaluate(() =>
		[...document.querySelectorAll(".unread-mark, [data-seq]")].map((row) => row.getAttribute("data-seq") ?? "divider"),
	);
	assert.equal(order[order.indexOf("divider") + 1], String(first), "the divider stands right before it");
	noProblems(reader, again);
});

long("[26] the second visit to a room finds the place of the first", async () => {
	const { bruno, path } = await scene(90);
	await using reader = await visit(charla, { me: bruno, path });
	const { page } = reader;
	await isLive(page);
	await wheel(page, -900);
	await settled(page);
	// A place is written down when the scrolling has come to rest.
	await eventually(async () => assert.match(await page.evaluate(() => sessionStorage.getItem("charla:places") ?? ""), /"offset"/));
	const seen = await seqsInSight(page);
	const seq = seen[0] as number;
	const before = await offsetOf(page, seq);
	await page
		.getByRole("link", { name: "Find people" })
		.or(page.getByRole("link", { name: "Write to somebody" }))
		.first()
		.click();
	await page.waitForURL("**/people");
	await page.locator(`#rooms a[href="${path}"]`).click();
	await page.waitForURL(`**${path}`);
	await line(page, seq).waitFor();
	await eventually(async () =>
		assert.ok(Math.abs((await offsetOf(page, seq)) - before) <= 2, `was at ${before}, is at ${await offsetOf(page, seq)}`),
	);
	// A reload is a visit too.
	await page.reload();
	await isLive(page);
	await eventually(async () =>
		assert.ok(Math.abs((await offsetOf(page, seq)) - before) <= 2, `was at ${before}, after a reload at ${await offsetOf(page, seq)}`),
	);
	noProblems(reader);
});

test("[27] at the end new messages stay in sight; further up nothing moves and a button counts them", async () => {
	const { ana, bruno, room, path } = await scene(60);
	await using reader = await visit(charla, { me: bruno, path });
	const { page } = reader;
	await isLive(page);
	const seen = await say(charla.chat, ana, room.id, "Said while you are here");
	await line(page, seen).waitFor();
	await eventually(async () => assert.ok((await fromEnd(page)) <= 1));
	assert.ok(await isInSight(page, seen));

	// Half a flick up still counts as being there.
	await wheel(page, -60);
	await settled(page);
	assert.ok((await fromEnd(page)) > 20);
	const sticks = await say(charla.chat, ana, room.id, "This one comes into sight too");
	await line(page, sticks).waitFor();
	await eventually(async () => assert.ok((await fromEnd(page)) <= 1));

	await eventually(() => page.waitForFunction(() => !document.title.startsWith("("), undefined, { timeout: 15_000 }));
	await wheel(page, -700);
	await settled(page);
	const anchor = (await seqsInSight(page))[0] as number;
	const before = await offsetOf(page, anchor);
	await sayAll(charla, ana, room.id, lines(3, "Unseen"));
	await page.getByRole("button", { name: "3 new messages" }).waitFor();
	const after = await offsetOf(page, anchor);
	assert.ok(Math.abs(after - before) <= 1, `the reader was moved from ${before} to ${after}`);
	await page.getByRole("button", { name: "3 new messages" }).click();
	await eventually(async () => assert.ok((await fromEnd(page)) <= 1));
	await page.getByRole("button", { name: /new message/ }).waitFor({ state: "detached" });
	noProblems(reader);
});

long("[28] what I send comes into sight, wherever I was reading", async () => {
	const { bruno, path } = await scene(120);
	await using reader = await visit(charla, { me: bruno, path });
	const { page } = reader;
	await isLive(page);
	await wheel(page, -1500);
	await settled(page);
	assert.ok((await fromEnd(page)) > 500);
	await send(page, "Here I am");
	await eventually(async () => assert.ok((await fromEnd(page)) <= 1));
	assert.ok(await line(page, "Here I am").isVisible());
	noProblems(reader);
});

long("[13] among old messages the arrow up still edits my last one", async () => {
	const { ana, bruno, room, seqs } = await scene(30);
	await say(charla.chat, bruno, room.id, "An old line of mine");
	await sayAll(charla, ana, room.id, lines(150));
	await say(charla.chat, bruno, room.id, "My last line");
	await hasReadAll(charla, bruno, room.id);
	await using reader = await visit(charla, { me: bruno, path: `/rooms/${room.id}?at=${seqs[20]}` });
	const { page } = reader;
	await isLive(page);
	await line(page, "An old line of mine").waitFor({ state: "attached" });
	assert.equal(await line(page, "My last line").count(), 0, "it is not on the page");
	await composer(page).focus();
	await page.keyboard.press("ArrowUp");
	const editor = page.getByRole("textbox", { name: "Edit your message" });
	await editor.waitFor();
	assert.equal(await editor.inputValue(), "My last line");
	await eventually(async () => assert.ok(await editor.evaluate((field) => field === document.activeElement)));
	await page.keyboard.press("Escape");
	await eventually(async () => assert.ok(await composer(page).evaluate((field) => field === document.activeElement)));
	noProblems(reader);
});

long("[31] edits and deletions above what is in sight do not move the reader", async () => {
	const { ana, bruno, room, seqs, path } = await scene(48);
	await using reader = await visit(charla, { me: bruno, path });
	const { page } = reader;
	await isLive(page);
	await wheel(page, -400);
	await settled(page);
	const anchor = (await seqsInSight(page))[0] as number;
	const before = await offsetOf(page, anchor);
	const above = seqs.filter((seq) => seq < anchor).slice(-4);
	assert.equal(above.length, 4, "there is something above");
	const longer = Array.from({ length: 12 }, (_, at) => `now a paragraph of its own, number ${at}`).join("\n\n");
	await charla.chat.messages.edit(ana, { roomId: room.id, clientId: crypto.randomUUID(), seq: above[0] as number, body: longer });
	await page.getByText("number 11").waitFor({ state: "attached" });
	assert.ok(Math.abs((await offsetOf(page, anchor)) - before) <= 1, "after an edit that made it longer");
	await charla.chat.messages.remove(ana, { roomId: room.id, clientId: crypto.randomUUID(), seq: above[0] as number });
	await line(page, above[0] as number)
		.getByText("This message was deleted")
		.waitFor({ state: "attached" });
	assert.ok(Math.abs((await offsetOf(page, anchor)) - before) <= 1, "after a deletion");
	noProblems(reader);
});

long("[32] a window that changes its size and a composer that grows keep the end in sight", async () => {
	const { bruno, path } = await scene(40);
	await using reader = await visit(charla, { me: bruno, path });
	const { page } = reader;
	await isLive(page);
	for (const size of [
		{ width: 1280, height: 420 },
		{ width: 380, height: 500 },
		{ width: 1280, height: 800 },
	]) {
		await page.setViewportSize(size);
		await eventually(async () => assert.ok((await fromEnd(page)) <= 1, `at ${size.width} x ${size.height}`));
	}
	const field = composer(page);
	const low = (await field.boundingBox())?.height ?? 0;
	await field.fill("one\ntwo\nthree\nfour\nfive\nsix");
	await eventually(async () => assert.ok(((await field.boundingBox())?.height ?? 0) > low * 2, "the composer grew"));
	await eventually(async () => assert.ok((await fromEnd(page)) <= 1));
	const last = await page.locator("[data-key]").last().boundingBox();
	const paper = await page.locator(".composer").boundingBox();
	assert.ok(last && paper && last.y + last.height <= paper.y + 1, "the last message is not behind the composer");
	// And it does not grow over everything.
	await field.fill(lines(60).join("\n"));
	await calm(page);
	assert.ok(((await field.boundingBox())?.height ?? 0) < 800 / 2);
	noProblems(reader);
});

long("[37] a link to a message shows it in the middle and marks it for a moment; back leads to where I was", async () => {
	const { bruno, room, seqs, path } = await scene(180);
	const far = seqs[20] as number;
	await using reader = await visit(charla, { me: bruno, path: null });
	const { page } = reader;
	await page.addInitScript(watchTargets);
	await page.goto(`/rooms/${room.id}/messages/${far}`);
	await page.waitForURL(`**${path}?at=${far}#m${far}`);
	const first = await targetOf(page, far);
	assert.ok(first.fromMiddle < first.height / 4, `${first.fromMiddle} px from the middle`);
	assert.notEqual(first.colour, first.beside, "it stands out");
	assert.ok(first.ms >= 1900, `for ${first.ms} ms`);
	assert.ok(await isInSight(page, far), "and stays where it is");

	// From the end to a message and back again, by its own link.
	await page.getByRole("button", { name: "Back to now" }).click();
	await eventually(async () => assert.ok((await fromEnd(page)) <= 1));
	await wheel(page, -600);
	await settled(page);
	const here = (await seqsInSight(page))[0] as number;
	const before = await offsetOf(page, here);
	await eventually(async () =>
		assert.match(await page.evaluate(() => sessionStorage.getItem("charla:places") ?? ""), new RegExp(`"seq":${here},`)),
	);
	const target = (await seqsInSight(page))[3] as number;
	await line(page, target).hover();
	await line(page, target)
		.getByRole("link", { name: /^Link to this message/ })
		.first()
		.click();
	await page.waitForURL(`**${path}?at=${target}`);
	await targetOf(page, target);
	await page.goBack();
	await eventually(async () =>
		assert.ok(Math.abs((await offsetOf(page, here)) - before) <= 2, `was at ${before}, is at ${await offsetOf(page, here)}`),
	);
	noProblems(reader);
});

type Target = { seq: string; fromMiddle: number; height: number; colour: string; beside: string; from: number; ms: number };

/** Runs in the page: writes down every message that is made to stand out, where it stood and for how long. */
function watchTargets(): void {
	const targets: Target[] = [];
	Object.assign(window, { targets });
	const look = () => {
		for (const row of document.querySelectorAll<HTMLElement>(".is-target")) {
			if (targets.some((known) => known.seq === row.dataset.seq && known.ms === 0)) continue;
			const [at, box] = [row.getBoundingClientRect(), (row.closest("section") as Element).getBoundingClientRect()];
			targets.push({
				seq: row.dataset.seq ?? "",
				fromMiddle: Math.abs(at.y + at.height / 2 - (box.y + box.height / 2)),
				height: box.height,
				colour: getComputedStyle(row).backgroundColor,
				beside: getComputedStyle(row.nextElementSibling as Element).backgroundColor,
				from: performance.now(),
				ms: 0,
			});
		}
		for (const known of targets)
			if (known.ms === 0 && !document.querySelector(`[data-seq="${known.seq}"].is-target`)) known.ms = performance.now() - known.from;
	};
	new MutationObserver(look).observe(document, { subtree: true, childList: true, attributes: true, attributeFilter: ["class"] });
}

/** What `watchTargets` saw of a message, once it does not stand out any more. */
const targetOf = (page: Page, seq: number): Promise<Target> =>
	eventually(async () => {
		const targets = await page.evaluate(() => (window as unknown as { targets: Target[] }).targets);
		const target = targets.find((known) => known.seq === String(seq) && known.ms > 0);
		assert.ok(target, `${seq} stood out and does not any more: ${JSON.stringify(targets)}`);
		return target;
	});

long("[38] the link to a deleted message leads to its tombstone, the one to a message that never was says so", async () => {
	const { ana, bruno, room, seqs, path } = await scene(120);
	const gone = seqs[15] as number;
	await charla.chat.messages.remove(ana, { roomId: room.id, clientId: crypto.randomUUID(), seq: gone });
	await using reader = await visit(charla, { me: bruno, path: `${path}?at=${gone}` });
	await line(reader.page, gone).getByText("This message was deleted").waitFor();
	await eventually(async () => assert.ok(await isInSight(reader.page, gone)));
	assert.ok((await fromEnd(reader.page)) > 300, "not the bottom of the room");
	await reader.page.goto(`${path}?at=99999`);
	await reader.page.getByRole("status").filter({ hasText: "That message is not in this room." }).waitFor();
	noProblems(reader);
});

long("[42] copying over several messages gives who, when and what, a line each", async () => {
	const ana = await charla.chat.people.enter({ name: freshName("Ana") });
	const bruno = await charla.chat.people.enter({ name: freshName("Bruno") });
	const room = await roomWith(charla, ana, [bruno]);
	const first = await say(charla.chat, ana, room.id, "The first thing");
	await say(charla.chat, bruno, room.id, "Something **bold** in between");
	const last = await say(charla.chat, ana, room.id, "The last thing");
	await using reader = await visit(charla, { me: bruno, path: `/rooms/${room.id}`, permissions: ["clipboard-read", "clipboard-write"] });
	const { page } = reader;
	await isLive(page);
	const select = (from: number, to: number) =>
		page.evaluate(
			([from, to]) => {
				const body = (seq: number) => document.querySelector(`[data-seq="${seq}"] .body`) as Element;
				getSelection()?.setBaseAndExtent(body(from as number), 0, body(to as number), body(to as number).childNodes.length);
				(document.activeElement as HTMLElement).blur();
			},
			[from, to],
		);
	await select(first, last);
	await page.keyboard.press("Control+c");
	const copied = await page.evaluate(() => navigator.clipboard.readText());
	const time = /\d{1,2}:\d{2}(?:\s?[AP]M)?/.source;
	assert.match(
		copied,
		new RegExp(
			`^${ana.name}, ${time}: The first thing\\n${bruno.name}, ${time}: Something bold in between\\n${ana.name}, ${time}: The last thing$`,
		),
	);
	// Within one message it is the browser's own copy.
	await select(first, first);
	await page.keyboard.press("Control+c");
	assert.equal(await page.evaluate(() => navigator.clipboard.readText()), "The first thing");
	// And one message as it was written, by its menu.
	await line(page, "Something bold").focus();
	await page.keyboard.press("Enter");
	await page.getByRole("menuitem", { name: "Copy as Markdown" }).click();
	await page.getByRole("status").filter({ hasText: "Copied" }).waitFor();
	assert.equal(await page.evaluate(() => navigator.clipboard.readText()), "Something **bold** in between");
	noProblems(reader);
});

long("[43] the browser's own search finds everything that is on the page", async () => {
	const { bruno, path, seqs } = await scene(50);
	await using reader = await visit(charla, { me: bruno, path });
	const { page } = reader;
	await isLive(page);
	assert.ok(!(await isInSight(page, seqs[11] as number)), "it is far out of sight");
	const found = await page.evaluate(() => {
		const fromAnywhere = [false, false, true] as const;
		const isFound = (window as unknown as { find(text: string, ...how: readonly boolean[]): boolean }).find(
			"Line 12 of 50",
			...fromAnywhere,
		);
		return isFound && (getSelection()?.anchorNode?.parentElement?.closest<HTMLElement>("[data-seq]")?.dataset.seq ?? "elsewhere");
	});
	assert.equal(found, String(seqs[11]));
	noProblems(reader);
});

long("[45] a message counts as read when it was on a visible, focused screen for half a second", async () => {
	const { ana, bruno, room, path } = await scene(5);
	await using reader = await visit(charla, { me: bruno, path });
	const { page } = reader;
	await isLive(page);
	const readSeq = async () => (await charla.chat.rooms.open(bruno, { roomId: room.id })).room.readSeq;
	const attention = (focus: boolean, visible: boolean) =>
		page.evaluate(
			([focus, visible]) => {
				Object.defineProperty(document, "hasFocus", { configurable: true, value: () => focus });
				Object.defineProperty(document, "visibilityState", { configurable: true, get: () => (visible ? "visible" : "hidden") });
				window.dispatchEvent(new Event(focus ? "focus" : "blur"));
				document.dispatchEvent(new Event("visibilitychange"));
			},
			[focus, visible],
		);

	await attention(false, true);
	const unseen = await say(charla.chat, ana, room.id, "Nobody looks");
	await line(page, unseen).waitFor();
	await sleep(limits.readAfter * 2.5);
	assert.ok((await readSeq()) < unseen, "not while the window has no focus");
	await attention(true, false);
	await sleep(limits.readAfter * 2.5);
	assert.ok((await readSeq()) < unseen, "not while the tab is hidden");

	// Both ends of the glance in one go: a machine that stumbles in between must not make it a long look.
	await page.evaluate(async (ms) => {
		const look = (focus: boolean) => {
			Object.defineProperty(document, "hasFocus", { configurable: true, value: () => focus });
			Object.defineProperty(document, "visibilityState", { configurable: true, get: () => "visible" });
			window.dispatchEvent(new Event(focus ? "focus" : "blur"));
			document.dispatchEvent(new Event("visibilitychange"));
		};
		look(true);
		await new Promise((done) => setTimeout(done, ms));
		look(false);
	}, limits.readAfter * 0.5);
	await sleep(limits.readAfter * 2.5);
	assert.ok((await readSeq()) < unseen, "not after a glance");

	await attention(true, true);
	await eventually(async () => assert.equal(await readSeq(), unseen));

	// On the page, but out of sight.
	const { ana: dora, bruno: emil, room: long, path: there } = await scene(60);
	await using other = await visit(charla, { me: emil, path: there });
	await isLive(other.page);
	await wheel(other.page, -900);
	await settled(other.page);
	const below = await say(charla.chat, dora, long.id, "Further down");
	await line(other.page, below).waitFor({ state: "attached" });
	await sleep(limits.readAfter * 2.5);
	const emils = (await charla.chat.rooms.open(emil, { roomId: long.id })).room.readSeq;
	assert.ok(emils < below, "not while it is below what is in sight");
	noProblems(reader, other);
});

long("[M16] [45] a room in which somebody always says something before that half second is over is read all the same", async () => {
	const { ana, bruno, room, path } = await scene(1);
	await using reader = await visit(charla, { me: bruno, path });
	await isLive(reader.page);
	const start = (await charla.chat.rooms.open(bruno, { roomId: room.id })).room.lastSeq;
	let isTalking = true;
	const talk = (async () => {
		for (let n = 0; isTalking; n++) {
			await say(charla.chat, ana, room.id, `And another thing ${n}`);
			await sleep(limits.readAfter / 5);
		}
	})();
	try {
		await eventually(async () => assert.ok((await charla.chat.rooms.open(bruno, { roomId: room.id })).room.readSeq > start + 3));
	} finally {
		isTalking = false;
		await talk;
	}
	noProblems(reader);
});

long(
	"[46][48] unread messages show in the list, the title and the icon of every tab, and go from all of them when deleted, or read in one",
	async () => {
		const { ana, bruno, room } = await scene(3);
		await using reader = await visit(charla, { me: bruno });
		const { page } = reader;
		// Only an installed app has a badge to be seen: what the page asks for stands for it.
		await reader.context.addInitScript(() => {
			const asked = { badge: 0 };
			Object.assign(window, { asked });
			const show = async (count = 0) => {
				asked.badge = count;
			};
			Object.assign(Navigator.prototype, { setAppBadge: show, clearAppBadge: () => show() });
		});
		const badge = (on: Page) => on.evaluate(() => (window as unknown as { asked: { badge: number } }).asked.badge);
		await page.reload();
		const other = await reader.context.newPage();
		await other.goto("/people");
		for (const each of [page, other]) await each.getByRole("link", { name: room.name }).waitFor();
		// The bell of the lobby, if any, has rung before.
		await hasReadAll(charla, bruno, "01900000-0000-7000-8000-000000000001");
		await eventually(async () => assert.doesNotMatch(await other.title(), /^\(/));
		const seqs = await sayAll(charla, ana, room.id, ["One", "Two", "Three"]);
		for (const each of [page, other]) {
			await each.getByRole("link", { name: `${room.name} 3 unread messages` }).waitFor();
			await eventually(async () => assert.match(await each.title(), /^\(3\) /));
			assert.equal(await each.locator("link[rel=icon]").getAttribute("href"), "/favicon-unread.svg");
			await eventually(async () => assert.equal(await badge(each), 3));
		}
		assert.equal((await reader.context.request.get("/favicon-unread.svg")).status(), 200);
		await charla.chat.messages.remove(ana, { roomId: room.id, clientId: crypto.randomUUID(), seq: seqs[1] as number });
		for (const each of [page, other]) {
			await each.getByRole("link", { name: `${room.name} 2 unread messages` }).waitFor();
			await eventually(async () => assert.match(await each.title(), /^\(2\) /));
			await eventually(async () => assert.equal(await badge(each), 2));
		}
		await other.reload();
		await other.getByRole("link", { name: `${room.name} 2 unread messages` }).waitFor();
		await page.getByRole("link", { name: room.name }).click();
		await line(page, "Three").waitFor();
		const since = Date.now();
		await eventually(async () => assert.doesNotMatch(await other.title(), /^\(/));
		// Told, not found out: a page looks for itself every thirty seconds at most.
		assert.ok(Date.now() - since < limits.readAfter + 10_000, `took ${Date.now() - since} ms`);
		for (const each of [page, other]) {
			await each.getByText("2 unread messages").waitFor({ state: "detached" });
			await eventually(async () => {
				assert.doesNotMatch(await each.title(), /^\(/);
				assert.equal(await each.locator("link[rel=icon]").getAttribute("href"), "/favicon.svg");
				assert.equal(await badge(each), 0);
			});
		}
		noProblems(reader);
	},
);
