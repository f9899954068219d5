import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { Page } from "playwright-core";
import { limits } from "../../app/contract/limits.ts";
import type { TestCharla } from "../support/charla.ts";
import { composer, isLive, line } from "../support/flow-b-page.ts";
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

const HOUR = 3_600_000;
const realNow = Date.now;
/** How far this server's clock goes before everybody else's, ms. */
let shift = 0;
Date.now = () => realNow() + shift;

let charla: TestCharla;
let stage: Stage;
before(async () => {
	stage = await openStage();
	charla = stage.charla;
});
after(async () => {
	await stage.close();
	Date.now = realNow;
});

async function scene(past: { by: "ana" | "bruno"; body: string; at: number }[]) {
	const ana = await charla.chat.people.enter({ name: freshName("Ana") });
	const bruno = await charla.chat.people.enter({ name: freshName("Bruno") });
	const room = await roomWith(charla, ana, [bruno]);
	const first = await writePast(
		charla,
		room.id,
		past.map(({ by, body, at }) => ({ author: by === "ana" ? ana : bruno, body, at })),
	);
	await hasReadAll(charla, bruno, room.id);
	return { ana, bruno, room, first, path: `/rooms/${room.id}` };
}

/** The conversation as its lines read: days in brackets, then each message's text with "+" where it continues a group. */
async function outline(page: Page): Promise<string[]> {
	return page.evaluate(() =>
		[...document.querySelectorAll<HTMLElement>(".day-mark, [data-seq]")].map((row) => {
			if (row.matches(".day-mark")) return `[${row.innerText}]`;
			return `${row.querySelector(".line-head") ? "" : "+"}${row.querySelector<HTMLElement>(".body, .tombstone")?.innerText ?? ""}`;
		}),
	);
}

/** The next moment at which it is that hour and minute in a zone that keeps this offset, ms since 1970. */
function lastTime(hour: number, minute: number, offsetHours: number): number {
	const day = 24 * HOUR;
	const midnight = Math.floor((realNow() + offsetHours * HOUR) / day) * day - offsetHours * HOUR;
	const at = midnight + hour * HOUR + minute * 60_000;
	return at > realNow() ? at - day : at;
}

test("[35] days begin at midnight where the reader is, and are named by the reader's calendar", async () => {
	// 02:30 in Kolkata (+5:30) is the evening before in Santiago.
	const early = lastTime(2, 30, 5.5);
	const { bruno, path } = await scene([
		{ by: "ana", body: "before the night", at: early - 4 * HOUR },
		{ by: "ana", body: "after the night", at: early },
	]);
	await using east = await visit(charla, { me: bruno, path, timezone: "Asia/Kolkata" });
	await using west = await visit(charla, { me: bruno, path, timezone: "America/Santiago" });
	await isLive(east.page);
	await isLive(west.page);
	const days = async (page: Page) => (await outline(page)).filter((row) => row.startsWith("["));
	await eventually(async () => assert.equal((await days(east.page)).length, 2, "22:30 and 02:30 are two days in Kolkata"));
	await eventually(async () => assert.equal((await days(west.page)).length, 1, "one afternoon in Santiago"));
	const key = await east.page.locator(".day-mark time").last().getAttribute("datetime");
	assert.equal(key, new Intl.DateTimeFormat("en-CA", { timeZone: "Asia/Kolkata" }).format(early));
	noProblems(east, west);
});

test("[35][78] the day on which clocks change is one day, and its times are those on the wall", async () => {
	// Chile went from 23:59 on Saturday to 01:00 on Sunday 6 September 2026; New York back an hour on 1 November 2026.
	const night = Date.UTC(2026, 8, 6, 3, 59);
	const { bruno, path } = await scene([
		{ by: "ana", body: "the last minute of Saturday", at: night },
		{ by: "ana", body: "the first minute of Sunday", at: night + 60_000 },
		{ by: "ana", body: "one o'clock once", at: Date.UTC(2026, 10, 1, 5, 30) },
		{ by: "bruno", body: "one o'clock again", at: Date.UTC(2026, 10, 1, 6, 30) },
	]);
	await using chile = await visit(charla, { me: bruno, path, timezone: "America/Santiago", language: "es-CL" });
	await isLive(chile.page);
	await eventually(async () => {
		assert.match(await line(chile.page, "last minute").locator("time").first().innerText(), /^23:59$/);
		assert.match(await line(chile.page, "first minute").locator("time").first().innerText(), /^(0?1:00)$/);
	});
	const september = (await outline(chile.page)).slice(0, 4);
	assert.match(september[0] as string, /5 de septiembre/);
	assert.match(september[2] as string, /6 de septiembre/);

	await using newYork = await visit(charla, { me: bruno, path, timezone: "America/New_York", language: "en-US" });
	await isLive(newYork.page);
	await eventually(async () => {
		for (const words of ["one o'clock once", "one o'clock again"])
			assert.match(await line(newYork.page, words).locator("time").first().innerText(), /^1:30\sAM$/);
	});
	assert.deepEqual((await outline(newYork.page)).slice(-2), ["one o'clock once", "one o'clock again"], "in order, on one day");
	noProblems(chile, newYork);
});

test("[35] at midnight by the server's clock today becomes yesterday on a page that stays open", async () => {
	const zone = "America/Bogota";
	// Ten minutes before midnight in Bogotá (-5), by the server; the reader's own clock says something else.
	const day = 24 * HOUR;
	const midnight = Math.ceil((realNow() - 5 * HOUR) / day) * day + 5 * HOUR;
	shift = midnight - 10 * 60_000 - realNow();
	try {
		const { ana, bruno, room, path } = await scene([{ by: "ana", body: "late already", at: midnight - 20 * 60_000 }]);
		await using reader = await visit(charla, { me: bruno, path: null, timezone: zone });
		const { page } = reader;
		await page.clock.install();
		await page.goto(path);
		await isLive(page);
		await page.getByText(/^Today, /).waitFor();
		// Twenty minutes pass at once, here and there.
		shift += 20 * 60_000;
		await page.clock.fastForward(20 * 60_000);
		await page.getByText(/^Yesterday, /).waitFor();
		assert.equal(await page.getByText(/^Today, /).count(), 0);
		assert.ok(ana && room);
		noProblems(reader);
	} finally {
		shift = 0;
	}
});

test("[36] messages of one person within five minutes stand as a group, also where history was loaded and when the first is deleted", async () => {
	const minute = 60_000;
	const start = lastTime(12, 0, 0) - 48 * HOUR;
	const many = Array.from({ length: 70 }, (_, at) => ({ by: "ana" as const, body: `steady ${at}`, at: start - 6 * HOUR + at * minute }));
	const { ana, bruno, room, first, path } = await scene([
		...many,
		{ by: "ana", body: "one", at: start },
		{ by: "ana", body: "two", at: start + 4 * minute },
		{ by: "ana", body: "three", at: start + 8 * minute },
		{ by: "ana", body: "late", at: start + 8 * minute + limits.group + 1000 },
		{ by: "bruno", body: "mine", at: start + 14 * minute },
		{ by: "ana", body: "back", at: start + 15 * minute },
		{ by: "ana", body: "again", at: start + 16 * minute },
	]);
	await using reader = await visit(charla, { me: bruno, path, timezone: "UTC" });
	const { page } = reader;
	await isLive(page);
	const tail = async () => (await outline(page)).filter((row) => !row.startsWith("[")).slice(-7);
	await eventually(async () => assert.deepEqual(await tail(), ["one", "+two", "+three", "late", "mine", "back", "+again"]));

	await eventually(async () => {
		await page.locator("[data-seq]").first().scrollIntoViewIfNeeded();
		await page.mouse.move(700, 400);
		await page.mouse.wheel(0, -3000);
		assert.equal(await page.locator("[data-seq]").count(), 77);
	});
	const steady = (await outline(page)).filter((row) => row.includes("steady"));
	assert.equal(steady.filter((row) => !row.startsWith("+")).length, 1, "one group over the seam of two loads");

	await charla.chat.messages.remove(ana, { roomId: room.id, clientId: crypto.randomUUID(), seq: first + 70 });
	await eventually(async () =>
		assert.deepEqual(await tail(), ["This message was deleted", "+two", "+three", "late", "mine", "back", "+again"]),
	);
	assert.equal(await line(page, "This message was deleted").getByText(ana.name).count(), 1, "who and when still stand above the group");
	noProblems(reader);
});

test("[77] with a clock that is an hour wrong, messages stand in order and under their true times", async () => {
	for (const wrong of [HOUR, -HOUR]) {
		const { ana, bruno, room, path } = await scene([{ by: "ana", body: "just before", at: realNow() - 30_000 }]);
		await using reader = await visit(charla, { me: bruno, path: null, timezone: "Asia/Tokyo", language: "en-GB" });
		const { page } = reader;
		await page.clock.install({ time: realNow() + wrong });
		await page.goto(path);
		await isLive(page);
		await eventually(async () => assert.ok((await line(page, "just before").count()) === 1));
		const field = composer(page);
		await field.fill("my own");
		await field.press("Enter");
		// Both on its way and stored: by the server's clock.
		await line(page, "my own").waitFor();
		await eventually(async () => assert.equal(await page.locator(".hilo-sending, .hilo-queued, .hilo-stored").count(), 0));
		await charla.chat.messages.post(ana, { roomId: room.id, clientId: crypto.randomUUID(), body: "right after", replyTo: null });
		await line(page, "right after").waitFor();
		assert.deepEqual((await outline(page)).slice(-3), ["just before", "my own", "right after"]);
		const stamps = await page
			.locator("[data-key] time")
			.evaluateAll((all) => all.map((time) => [time.getAttribute("datetime"), time.getAttribute("title"), time.textContent]));
		for (const [iso, title, shown] of stamps) {
			const at = Date.parse(iso as string);
			assert.ok(Math.abs(realNow() - at) < 2 * 60_000, `${iso} with a clock that is ${wrong / HOUR} h wrong`);
			assert.equal(shown, new Intl.DateTimeFormat("en-GB", { hour: "numeric", minute: "2-digit", timeZone: "Asia/Tokyo" }).format(at));
			assert.equal(title, new Intl.DateTimeFormat("en-GB", { dateStyle: "full", timeStyle: "short", timeZone: "Asia/Tokyo" }).format(at));
		}
		noProblems(reader);
	}
});
