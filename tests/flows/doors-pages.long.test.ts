import assert from "node:assert/strict";
import { test } from "node:test";
import type { Page } from "playwright-core";
import { say as post } from "../support/chat.ts";
import { away, composer, isAlive, line, openFlow, type Talker, until } from "../support/flow-a-people.ts";
import { isInSight, wheel } from "../support/flow-b-page.ts";
import { hasReadAll, writePast } from "../support/flow-b-people.ts";

const flow = openFlow();

/** The numbers and texts of a numbered page, oldest first. */
const numbered = (page: Page) =>
	page
		.locator("main ol > li, ol.pages-list > li")
		.evaluateAll((items) => items.map((item) => [(item as HTMLLIElement).value, item.querySelector(".body")?.textContent ?? ""]));

for (const javaScript of [true, false])
	test(`[40] numbered pages have lasting addresses and neither hole nor repeat while others write, ${javaScript ? "with" : "without"} JavaScript`, async (t) => {
		const { chat } = flow.charla;
		const [one, two] = [await flow.charla.person(flow.name("Ana")), await flow.charla.person(flow.name("Bruno"))];
		const room = await flow.room(flow.name("Pages"), one, two);
		let count = 0;
		const write = async (times: number) => {
			for (let n = 0; n < times; n++) await post(chat, two.me, room.id, `Number ${++count}`);
		};
		await write(23);
		const ana = await flow.browser(t, one, { javaScript });
		const { page } = ana;
		const nav = page.getByRole("navigation", { name: "Pages" });
		const turn = async (way: string, to: number) => {
			await nav.getByRole("link", { name: way }).click();
			await page.waitForURL(new RegExp(`/pages/${to}$`));
			await page
				.getByText(new RegExp(`^Page ${to} of `))
				.first()
				.waitFor();
		};
		const expected = (number: number) => Array.from({ length: 5 }, (_, n) => (number - 1) * 5 + n + 1).map((n) => [n, `Number ${n}`]);

		// Without a number: the newest page, and its address says which.
		await page.goto(`/rooms/${room.id}/pages`);
		assert.match(page.url(), /\/pages\/5$/);
		assert.deepEqual(await numbered(page), [
			[21, "Number 21"],
			[22, "Number 22"],
			[23, "Number 23"],
		]);
		assert.equal(await nav.getByRole("link", { name: "Next" }).count(), 0);
		assert.equal(await nav.getByRole("link", { name: "Last" }).count(), 0);
		await turn("First", 1);
		assert.equal(await nav.getByRole("link", { name: "Previous" }).count(), 0);
		assert.deepEqual(await numbered(page), expected(1));

		// Others write all the while; what is on a full page stays on it.
		const read: unknown[] = [...(await numbered(page))];
		for (let number = 2; number <= 6; number++) {
			await write(2);
			await turn("Next", number);
			assert.deepEqual(
				await numbered(page),
				expected(number).filter(([n]) => (n as number) <= count),
			);
			read.push(...(await numbered(page)));
		}
		assert.deepEqual(
			read,
			Array.from({ length: 30 }, (_, n) => [n + 1, `Number ${n + 1}`]),
		);
		await turn("Previous", 5);
		assert.deepEqual(await numbered(page), expected(5));
		await turn("Last", 7);
		assert.deepEqual(await numbered(page), [
			[31, "Number 31"],
			[32, "Number 32"],
			[33, "Number 33"],
		]);
		// A page keeps what it held, whoever looks and whenever.
		await page.goto(`/rooms/${room.id}/pages/3`);
		assert.deepEqual(await numbered(page), expected(3));
		await page.goto(`/rooms/${room.id}/pages/2?size=10`);
		assert.deepEqual(
			(await numbered(page)).map(([n]) => n),
			Array.from({ length: 10 }, (_, n) => n + 11),
		);
		await page.goto(`/rooms/${room.id}/pages/999`);
		assert.match(page.url(), /\/pages\/7$/);
	});

test("[41] a message that was found elsewhere opens among its neighbours, and the conversation goes on from it both ways", async (t) => {
	const { chat } = flow.charla;
	const [one, two] = [await flow.charla.person(flow.name("Ana")), await flow.charla.person(flow.name("Bruno"))];
	const room = await flow.room(flow.name("Found"), one, two);
	const said = (n: number) => ({ author: n % 3 ? one.me : two.me, body: `Line ${n}`, at: Date.now() - (400 - n) * 60_000 });
	const first = await writePast(
		flow.charla,
		room.id,
		Array.from({ length: 400 }, (_, n) => said(n + 1)),
	);
	const seqOf = (number: number) => first + number - 1;
	// What answers the message quotes it, far below.
	await post(chat, two.me, room.id, "Answered much later", seqOf(198));
	await hasReadAll(flow.charla, one.me, room.id);
	const { page } = await flow.browser(t, one);
	const shown = () => page.locator("[data-seq]").evaluateAll((rows) => rows.map((row) => Number((row as HTMLElement).dataset.seq)));
	const ways: [string, () => Promise<unknown>][] = [
		[
			"its number on a page",
			async () => {
				await page.goto(`/rooms/${room.id}/pages/40`);
				await page.getByRole("link", { name: "Message 198" }).click();
			},
		],
		["its lasting address", () => page.goto(`/rooms/${room.id}/messages/${seqOf(198)}`)],
		[
			"the quote of it",
			async () => {
				// By its address: a room opens where its reader last was.
				await page.goto(`/rooms/${room.id}/messages/${seqOf(401)}`);
				await isAlive(page);
				await line(page, "Answered much later")
					.getByRole("link", { name: /Line 198$/ })
					.click();
			},
		],
	];
	for (const [way, go] of ways) {
		await go();
		await isAlive(page);
		await until(() => isInSight(page, seqOf(198)), `${way}: it is in sight`);
		assert.ok((await isInSight(page, seqOf(197))) && (await isInSight(page, seqOf(199))), `${way}: between its neighbours`);
		// Up to far more than came with it, then down to the newest: every message once, in order, at any time.
		for (const [by, is] of [
			[-1500, (seqs: number[]) => (seqs[0] as number) <= seqOf(100)],
			[1500, (seqs: number[]) => seqs.at(-1) === seqOf(401)],
		] as const)
			await until(async () => {
				await wheel(page, by);
				const seqs = await shown();
				assert.deepEqual(
					seqs,
					seqs.map((_, at) => (seqs[0] as number) + at),
					`${way}: no hole and no repeat`,
				);
				return is(seqs);
			}, `${way}: by ${by} there is more`);
	}
});

/** What a page would put on paper, seen through the eyes of its print style. */
async function printed(page: Page) {
	await page.emulateMedia({ media: "print" });
	const seen = await page.evaluate(() => {
		const isShown = (element: Element) => {
			const box = element.getBoundingClientRect();
			return element.checkVisibility({ visibilityProperty: true, opacityProperty: true }) && box.width > 1 && box.height > 1;
		};
		const said = [...document.querySelectorAll<HTMLElement>(".body")].filter(isShown);
		const luminance = (color: string) => {
			const context = document.createElement("canvas").getContext("2d") as CanvasRenderingContext2D;
			context.fillStyle = color;
			context.fillRect(0, 0, 1, 1);
			const [r, g, b, a] = context.getImageData(0, 0, 1, 1).data as unknown as [number, number, number, number];
			return a === 0 ? 1 : (0.2126 * r + 0.7152 * g + 0.0722 * b) / 255;
		};
		const backgrounds: number[] = [];
		for (let at: Element | null = said[0] as Element; at; at = at.parentElement)
			backgrounds.push(luminance(getComputedStyle(at).backgroundColor));
		const box = said[0]?.closest("section");
		const controls =
			"button, textarea, input, select, summary, nav, form, dialog, [tabindex='0']:not([data-key], pre, a), [role^=menu], [role=option]";
		return {
			said: said.map((body) => body.innerText),
			controls: [...document.querySelectorAll(`${controls}, a:not(.body a):has(svg)`)]
				.filter(isShown)
				.map((element) => `${element.outerHTML.slice(0, 120)} in ${element.parentElement?.className}`),
			ink: luminance(getComputedStyle(said[0] as Element).color),
			paper: Math.min(...backgrounds),
			isCut: box ? box.scrollHeight > box.clientHeight + 1 : false,
			names: [...document.querySelectorAll("strong")].filter(isShown).length,
			times: [...document.querySelectorAll("time")].filter(isShown).length,
		};
	});
	await page.emulateMedia({ media: "screen" });
	return seen;
}

test("[44] printed, a conversation and a numbered page are dark text on white, without anything to click", async (t) => {
	const { room, people } = await flow.talk(t, ["Ana", "Bruno"], { theme: "dark", expected: away });
	const [ana, bruno] = people as [Talker, Talker];
	const { page } = ana;
	for (let n = 1; n <= 29; n++) await post(flow.charla.chat, bruno.me, room.id, `Said ${n}`);
	await post(flow.charla.chat, ana.me, room.id, "Said 30");
	await line(page, "Said 30").waitFor();
	const live = `/rooms/${room.id}`;
	const key = (combination: string) => async () => {
		await line(page, "Said 30").focus();
		await page.keyboard.press(combination);
	};
	// Whatever happens to be open when somebody prints, the paper holds what was said.
	const states: [string, string, () => Promise<unknown>][] = [
		["at rest", live, () => page.locator(".latency:visible:not([data-quality=none])").waitFor()],
		["editing", live, async () => key("e")().then(() => page.getByRole("textbox", { name: "Edit your message" }).waitFor())],
		["with a menu", live, async () => key("Enter")().then(() => page.getByRole("menu").waitFor())],
		["with a dialog", live, async () => key("?")().then(() => page.getByRole("dialog").waitFor())],
		[
			"with completions",
			live,
			() =>
				composer(page)
					.pressSequentially("/")
					.then(() => page.getByRole("listbox").waitFor()),
		],
		["with a panel", `${live}?panel=members`, () => page.getByRole("heading", { name: "Members" }).waitFor()],
		["numbered", `${live}/pages/1`, async () => undefined],
		["without a network", live, () => ana.context.setOffline(true).then(() => page.getByText(/^You're offline\./).waitFor())],
	];
	for (const [state, path, act] of states) {
		const isNumbered = path.endsWith("/1");
		await page.goto(path);
		await page.getByText(isNumbered ? "Said 1" : "Said 30", { exact: true }).waitFor();
		if (!isNumbered) await isAlive(page);
		await act();
		const paper = await printed(page);
		assert.deepEqual(
			paper.said,
			Array.from({ length: isNumbered ? 5 : 30 }, (_, n) => `Said ${n + 1}`),
			`${state}: every message is printed`,
		);
		assert.deepEqual(paper.controls, [], `${state}: nothing to click`);
		assert.ok(paper.ink < 0.3 && paper.paper > 0.9, `${state}: ink ${paper.ink} on paper ${paper.paper}`);
		assert.ok(!paper.isCut, `${state}: nothing is cut off`);
		assert.ok(paper.names > 0 && paper.times > 0, `${state}: who and when`);
	}
});
