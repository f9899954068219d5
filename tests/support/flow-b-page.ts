import assert from "node:assert/strict";
import type { Locator, Page } from "playwright-core";
import { eventually } from "./flow-b-people.ts";

/** The scrolling part of a conversation, in either language. */
export function scroller(page: Page): Locator {
	return page.getByRole("region", { name: /^(Messages in|Mensajes (de|en)) / });
}

/** A line of the conversation: by its place in the log, or by what it says. */
export function line(page: Page, which: number | string): Locator {
	return typeof which === "number" ? page.locator(`[data-seq="${which}"]`) : page.locator("[data-key]", { hasText: which });
}

export function composer(page: Page): Locator {
	return page.locator("textarea[name=body]");
}

/** Distance of a line's top edge from that of the scrolling part, px. */
export async function offsetOf(page: Page, seq: number): Promise<number> {
	return page.evaluate((seq) => {
		const row = document.querySelector(`[data-seq="${seq}"]`);
		const box = row?.closest("section");
		if (!row || !box) throw new Error(`message ${seq} is not on the page`);
		return row.getBoundingClientRect().top - box.getBoundingClientRect().top;
	}, seq);
}

/** Whether a line is in sight as a whole. */
export async function isInSight(page: Page, seq: number): Promise<boolean> {
	return page.evaluate((seq) => {
		const row = document.querySelector(`[data-seq="${seq}"]`);
		const box = row?.closest("section");
		if (!row || !box) return false;
		const [at, around] = [row.getBoundingClientRect(), box.getBoundingClientRect()];
		return at.top >= around.top - 1 && at.bottom <= around.bottom + 1;
	}, seq);
}

/** The places of all lines whose top is in sight, oldest first. */
export async function seqsInSight(page: Page): Promise<number[]> {
	return page.evaluate(() => {
		const box = document.querySelector("[data-seq]")?.closest("section")?.getBoundingClientRect();
		if (!box) return [];
		return [...document.querySelectorAll<HTMLElement>("[data-seq]")]
			.filter((row) => row.getBoundingClientRect().top >= box.top && row.getBoundingClientRect().bottom <= box.bottom)
			.map((row) => Number(row.dataset.seq));
	});
}

/** Px between the end of what was said and the end of what is in sight: 0 at the bottom. */
export async function fromEnd(page: Page): Promise<number> {
	return scroller(page).evaluate((box) => {
		// Laid out from its end or not: both count here.
		const top = box.scrollTop <= 0 && getComputedStyle(box).flexDirection === "column-reverse" ? -box.scrollTop : null;
		return top ?? box.scrollHeight - box.clientHeight - box.scrollTop;
	});
}

/** Turns the wheel over the messages; negative is up. The browser scrolls a little later: ends when it did, or cannot. */
export async function wheel(page: Page, by: number): Promise<void> {
	const box = await scroller(page).boundingBox();
	assert.ok(box);
	await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
	// Listening begins before the wheel turns: the handle is there once the page has answered.
	const moved = await scroller(page).evaluateHandle((box) => {
		const scrolled = new Promise<void>((done) => {
			box.addEventListener("scroll", () => done(), { once: true });
			setTimeout(done, 1500);
		});
		return { scrolled };
	});
	await page.mouse.wheel(0, by);
	await moved.evaluate(({ scrolled }) => scrolled);
}

/** Until nothing moves any more: the same offset in three frames. */
export async function settled(page: Page): Promise<void> {
	await scroller(page).evaluate(async (box) => {
		for (let same = 0, before = Number.NaN; same < 3; ) {
			await new Promise((done) => requestAnimationFrame(done));
			same = box.scrollTop === before ? same + 1 : 0;
			before = box.scrollTop;
		}
	});
}

/** Writes and sends by the keyboard; ends when the server has stored it. */
export async function send(page: Page, text: string): Promise<void> {
	const field = composer(page);
	await field.fill(text);
	await field.press("Enter");
	await line(page, text.split("\n")[0] as string)
		.last()
		.waitFor();
	await stored(page);
}

/** Until none of my messages is on its way. */
export async function stored(page: Page): Promise<void> {
	await eventually(async () => assert.equal(await page.locator(".hilo-queued, .hilo-sending, .hilo-stored").count(), 0));
}

/** The page follows its room live: its script runs, the list can be walked, and the socket is open. */
export async function isLive(page: Page): Promise<void> {
	await page.waitForFunction(() => {
		// The words that stand at the beginning are in the page before its script runs, rows too; what the script does is not.
		const isWalked = document.querySelector("[data-key]") === null || document.querySelector("[data-key][tabindex='0']") !== null;
		return document.querySelector("[data-connection='online']") !== null && isWalked;
	});
}

/** A moment long enough for what must not happen to have happened: two frames and the browser's idle time. */
export async function calm(page: Page): Promise<void> {
	await page.evaluate(async () => {
		for (let frame = 0; frame < 2; frame++) await new Promise((done) => requestAnimationFrame(done));
		await new Promise((done) => requestIdleCallback(done, { timeout: 500 }));
	});
}

/** Whether the page can be scrolled sideways. */
export async function isTooWide(page: Page): Promise<boolean> {
	return page.evaluate(
		() => document.documentElement.scrollWidth > document.documentElement.clientWidth + 1 || document.body.scrollWidth > innerWidth + 1,
	);
}

/** What has the focus, as a person would name it. */
export async function focused(page: Page): Promise<string> {
	return page.evaluate(() => {
		const at = document.activeElement;
		if (!at || at === document.body) return "body";
		const name = at.getAttribute("aria-label") ?? (at as HTMLElement).innerText ?? "";
		return `${at.getAttribute("role") ?? at.tagName.toLowerCase()} ${name.trim().slice(0, 80)}`;
	});
}
