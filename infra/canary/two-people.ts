/**
 * Two made-up people who talk: what must work, done as people do it, in two browsers. Knows nothing of where it runs: in AWS
 * handler.ts calls it every few minutes, and a test calls it on this machine.
 */
import type { Browser, BrowserContext, Page } from "playwright-core";

/** What is kept from one conversation to the next: the two sessions, and their room. */
export type Kept = { sessions: [Session, Session]; room: string };
type Session = Awaited<ReturnType<BrowserContext["storageState"]>>;

/** Does one step, timed and named wherever it runs. */
type Step = <T>(name: string, work: () => Promise<T>) => Promise<T>;

/** One step may take so long, ms. */
const patience = 20_000;
const names = ["Canary Ana", "Canary Bruno"] as const;

/** Lets them talk once. Throws at the first step that does not work. Gives what to keep, and how long the message took to the other, ms. */
export async function talk(
	browser: Browser,
	given: { url: string; kept: Kept | null; step: Step },
): Promise<{ kept: Kept; delivery: number }> {
	const { url, step } = given;
	const contexts: BrowserContext[] = [];
	const open = async (session?: Session): Promise<Page> => {
		const context = await browser.newContext({ storageState: session, locale: "en-GB" });
		contexts.push(context);
		context.setDefaultTimeout(patience);
		return context.newPage();
	};
	try {
		let kept = given.kept;
		const [ana, bruno] = [await open(kept?.sessions[0]), await open(kept?.sessions[1])] as const;
		await step("load", async () => {
			await Promise.all([ana, bruno].map((page) => page.goto(kept ? `${url}${kept.room}` : url)));
		});
		// Sessions end. Whoever is not known any more comes in as somebody new, with a room of their own.
		const isKnown = await Promise.all([ana, bruno].map(async (page) => (await page.locator('input[name="name"]').count()) === 0));
		if (!kept || isKnown.includes(false))
			kept = await step("enter", async () => {
				const mark = Math.random().toString(36).slice(2, 6);
				await Promise.all([ana, bruno].map((page, n) => enter(page, url, `${names[n]} ${mark}`)));
				await ana.goto(`${url}/people?q=${encodeURIComponent(mark)}`);
				await ana.getByRole("button", { name: new RegExp(`${names[1]} ${mark}`) }).click();
				await ana.waitForURL(/\/rooms\/[^/]+$/);
				const room = new URL(ana.url()).pathname;
				await bruno.goto(`${url}${room}`);
				return { sessions: [await ana.context().storageState(), await bruno.context().storageState()] as [Session, Session], room };
			});

		const text = `ping ${new Date().toISOString()} ${Math.random().toString(36).slice(2, 8)}`;
		await step("connect", () => Promise.all([isAlive(ana), isAlive(bruno)]));
		const began = Date.now();
		await step("send", async () => {
			await composer(ana).fill(text);
			await composer(ana).press("Enter");
			await message(ana, text).waitFor();
		});
		await step("seen by the other", () => message(bruno, text).waitFor());
		const delivery = Date.now() - began;
		await step("answered", async () => {
			await composer(bruno).fill(`re: ${text}`);
			await composer(bruno).press("Enter");
			await message(ana, `re: ${text}`).waitFor();
		});
		await step("history", async () => {
			await ana.reload();
			await message(ana, text).waitFor();
			await message(ana, `re: ${text}`).waitFor();
		});
		return { kept, delivery };
	} finally {
		await Promise.all(contexts.map((context) => context.close()));
	}
}

async function enter(page: Page, url: string, name: string): Promise<void> {
	await page.context().clearCookies();
	await page.goto(url);
	const form = page.locator("form", { has: page.locator('input[name="name"]') });
	await form.locator('input[name="name"]').fill(name);
	await form.locator('button[type="submit"], button:not([type])').first().click();
	await page.waitForURL(/\/rooms\/[^/]+/);
}

/** Where one writes. */
const composer = (page: Page) => page.getByRole("textbox", { name: /^(Write to|Escribe en) / });

/** The line of a message with exactly this text. */
const message = (page: Page, text: string) => page.locator("[data-key]").filter({ has: page.getByText(text, { exact: true }) });

/** Waits until the page's own script has taken over: before that, Enter would break the line as in any form. */
async function isAlive(page: Page): Promise<void> {
	await composer(page).waitFor();
	await page.waitForFunction(() =>
		[...document.querySelectorAll("textarea, [role=textbox]")].some((field) =>
			Object.keys(field).some((key) => key.startsWith("__reactProps")),
		),
	);
}
