import assert from "node:assert/strict";
import { after, before, type TestContext } from "node:test";
import type { BrowserContext, Locator, Page } from "playwright-core";
import type { MyRoom, Person } from "../../app/contract/shapes.ts";
import { closeBrowser, cookieFor, type NewPerson, newPerson, openBrowser, type PersonOptions } from "./browser.ts";
import { type TestCharla, testCharla } from "./charla.ts";

/** Somebody in a room of the test, with a browser. */
export type Talker = NewPerson & { me: Person; cookie: string };
export type TalkerOptions = Partial<PersonOptions> & {
	/** Another way to the same Charla: through a network of the test's own. */
	through?: string;
};

/**
 * The noise of a server that is away on purpose, or of a network that ends a moment before its page does: the browser itself writes
 * it, no script could keep it quiet.
 */
export const away = [/ERR_(CONNECTION|INTERNET|EMPTY|SOCKET|NETWORK)\w*/, /WebSocket connection to/];

/**
 * One Charla with pages for a whole test file, and what tests need to fill it. At the end of a test everybody's browser is
 * closed, and nobody may have met a problem that the test did not expect.
 */
export function openFlow(env: Record<string, string> = {}) {
	let charla: TestCharla;
	let held: BrowserContext;
	let count = 0;
	before(async () => {
		charla = await testCharla({ pages: true, env });
		held = await holdBrowser();
	});
	after(async () => {
		await held.close();
		await closeBrowser();
		await charla[Symbol.asyncDispose]();
	});

	const flow = {
		get charla() {
			return charla;
		},
		/** A name nobody has yet: the given one and a letter or two. */
		name(name: string): string {
			const letters = "bcdfgkpqtwxz";
			const n = count++;
			return `${name} ${letters[Math.floor(n / letters.length)]}${letters[n % letters.length]}`;
		},
		/** Somebody's browser, signed in, closed after the test. */
		async browser(t: TestContext, who: { me: Person; cookie: string }, options: TalkerOptions = {}): Promise<Talker> {
			const { through, ...others } = options;
			const person = await newPerson(through ?? charla.url, {
				...others,
				name: who.me.name,
				enter: false,
				storageState: { cookies: [cookieFor(who.cookie)], origins: [] },
			});
			hurry(person);
			t.after(async () => {
				await person.close();
				assert.deepEqual(person.problems, [], `${who.me.name} met problems`);
			});
			return Object.assign(person, who);
		},
		/** Somebody at the first screen, with nothing of theirs in the browser yet. */
		async stranger(t: TestContext, options: TalkerOptions = {}): Promise<NewPerson> {
			const { through, ...others } = options;
			const person = await newPerson(through ?? charla.url, { name: "", enter: false, ...others });
			hurry(person);
			t.after(async () => {
				await person.close();
				assert.deepEqual(person.problems, [], "somebody met problems");
			});
			return person;
		},
		/** A room of the test's own; the first of the people made it. */
		async room(name: string, ...people: { me: Person }[]): Promise<MyRoom> {
			const [owner, ...others] = people.map((person) => person.me) as [Person, ...Person[]];
			const room = await charla.chat.rooms.create(owner, { name, topic: "", kind: "public" });
			for (const other of others) await charla.chat.rooms.invite(owner, { roomId: room.id, name: other.name });
			return room;
		},
		/** People who stand in one room, each with a browser that shows it and is connected. */
		async talk(t: TestContext, names: string[], options: TalkerOptions = {}): Promise<{ room: MyRoom; people: Talker[] }> {
			const whos = await Promise.all(names.map((name) => charla.person(flow.name(name))));
			const room = await flow.room(flow.name("Room"), ...whos);
			const people: Talker[] = [];
			for (const who of whos) {
				const person = await flow.browser(t, who, { ...options, at: `/rooms/${room.id}` });
				await isAlive(person.page);
				await until(() => flow.connected(person) > 0, "is connected");
				people.push(person);
			}
			return { room, people };
		},
		/** Shows a room in a page and waits until it lives. */
		async enter(person: Talker, page: Page, roomId: string): Promise<void> {
			const before = flow.connected(person);
			const hadPage = page.url().includes("/rooms/");
			await page.goto(`/rooms/${roomId}`);
			await isAlive(page);
			// The page it was leaves its socket a little later than the new one comes: either way there is one at the end.
			await until(() => flow.connected(person) > (hadPage ? 0 : before), "is connected");
		},
		/** How many sockets somebody has. */
		connected: (person: { me: Person }): number =>
			[...charla.realtime.io.of("/").sockets.values()].filter((socket) => socket.data.me.id === person.me.id).length,
		/** What was said in a room, oldest first, as the database has it. */
		async stored(person: { me: Person }, roomId: string): Promise<string[]> {
			return (await charla.chat.messages.stretch(person.me, { roomId })).messages.map((message) => message.body);
		},
	};
	return flow;
}
export type Flow = ReturnType<typeof openFlow>;

/** Keeps the browser from closing between two tests, and on a busy machine before the first one has opened a page. */
async function holdBrowser(): Promise<BrowserContext> {
	for (let attempt = 1; ; attempt++) {
		try {
			return await (await openBrowser()).newContext();
		} catch (error) {
			if (attempt === 3) throw error;
		}
	}
}

/** What a person would not wait for fails before the next test is late too. */
export function hurry(person: NewPerson): void {
	person.context.setDefaultTimeout(20_000);
}

/** Waits until the page's own script has taken over: before that, Enter breaks the line as in any form. */
export async function isAlive(page: Page): Promise<void> {
	await composer(page).waitFor();
	await composer(page).evaluate(
		(field) =>
			new Promise<void>((done) => {
				const look = () => (Object.keys(field).some((key) => key.startsWith("__reactProps")) ? done() : setTimeout(look, 10));
				look();
			}),
	);
}

/** Where one writes. */
export const composer = (page: Page): Locator => page.getByRole("textbox", { name: /^(Write to|Escribe en) / });

/** Writes a message and sends it by Enter. */
export async function say(page: Page, text: string): Promise<void> {
	await composer(page).fill(text);
	await composer(page).press("Enter");
}

/** The line of a message with exactly this text. */
export function line(page: Page, text: string): Locator {
	return page.locator("[data-key]").filter({ has: page.getByText(text, { exact: true }) });
}

/** All messages on the page, oldest first. */
export const texts = (page: Page): Promise<string[]> => page.locator("[data-key] .body").allInnerTexts();

/** How far a message of one's own has come, in the words of its hilo. */
export const reach = (page: Page, text: string): Locator => line(page, text).getByRole("img");

/** Waits until a message of one's own says how far it has come. */
export async function reached(page: Page, text: string, words: string | RegExp): Promise<void> {
	await line(page, text)
		.getByRole("img", { name: words, exact: typeof words === "string" })
		.waitFor();
}

/** Waits for a condition that no page can tell of; fails saying `what` after `within` ms. */
export async function until(condition: () => boolean | Promise<boolean>, what: string, within = 30_000): Promise<void> {
	const end = Date.now() + within;
	while (!(await condition())) {
		if (Date.now() > end) assert.fail(`not within ${within} ms: ${what}`);
		await new Promise((done) => setTimeout(done, 20));
	}
}

/** Presses "Try now", unless the page comes back by itself at that very moment: its own next try may fall together with ours. */
export async function tryNow(page: Page): Promise<void> {
	const button = page.getByRole("button", { name: "Try now" });
	const pressed = button.click().catch(() => undefined);
	await Promise.race([pressed, button.waitFor({ state: "detached" })]);
}
