import assert from "node:assert/strict";
import { test } from "node:test";
import type { Page } from "playwright-core";
import { away, composer, isAlive, line, openFlow, reached, say, texts, until } from "../support/flow-a-people.ts";
import { openWeather } from "../support/flow-a-proxy.ts";
import { long } from "../support/long.ts";

const flow = openFlow();

/**
 * Watches the page from Enter on: how long until a frame showed the text, the most and, from then on, the fewest lines
 * that ever showed it, and whether the line stayed the same element.
 */
async function watchSending(
	page: Page,
	text: string,
): Promise<{ seen(): Promise<{ painted: number; most: number; fewest: number; sameLine: boolean }> }> {
	const watch = await page.evaluateHandle((text) => {
		const seen = { enter: 0, painted: 0, most: 0, fewest: 1 };
		let first: Element | null = null;
		const lines = () => [...document.querySelectorAll("[data-key]")].filter((row) => row.querySelector(".body")?.textContent === text);
		document.addEventListener(
			"keydown",
			(event) => {
				if (event.key === "Enter") seen.enter = event.timeStamp;
			},
			{ capture: true, once: true },
		);
		const look = () => {
			const now = lines();
			seen.most = Math.max(seen.most, now.length);
			if (first) seen.fewest = Math.min(seen.fewest, now.length);
			else if (now[0]) {
				first = now[0];
				// The second frame begins once the first, which holds the line, was handed to the screen.
				requestAnimationFrame(() => requestAnimationFrame((at) => (seen.painted = at - seen.enter)));
			}
		};
		new MutationObserver(look).observe(document.body, { childList: true, subtree: true, characterData: true });
		return { result: () => ({ ...seen, sameLine: first !== null && first === lines()[0] }) };
	}, text);
	return { seen: () => watch.evaluate((watched) => watched.result()) };
}

long(
	"[2] [3] [9] with a server two seconds away my message is on screen within 100 ms, and is the same line when it is stored",
	async (t) => {
		await using weather = await openWeather(flow.charla.url);
		const { room, people } = await flow.talk(t, ["Ana"], { through: weather.url, expected: away });
		const ana = people[0] as (typeof people)[0];
		await say(ana.page, "Before");
		await reached(ana.page, "Before", /^Stored/);

		weather.delay = 1000;
		// And takes its time until told otherwise: how fast this test looks must not matter.
		let answer = () => {};
		const asked = new Promise<void>((done) => {
			answer = done;
		});
		const { post } = flow.charla.chat.messages;
		t.mock.method(flow.charla.chat.messages, "post", async (...message: Parameters<typeof post>) => {
			await asked;
			return post(...message);
		});
		const watch = await watchSending(ana.page, "Over the sea");
		await say(ana.page, "Over the sea");
		await reached(ana.page, "Over the sea", "Sending");
		// The field is free at once: the next is written and sent while the first is on its way.
		assert.equal(await composer(ana.page).inputValue(), "");
		assert.ok(await composer(ana.page).evaluate((field) => field === document.activeElement), "the field kept the focus");
		await ana.page.keyboard.type("And another");
		await ana.page.keyboard.press("Enter");
		await reached(ana.page, "And another", "Waiting to be sent");
		assert.deepEqual(await flow.stored(ana, room.id), ["Before"], "the server has stored nothing yet");
		answer();

		await reached(ana.page, "And another", /^Stored/);
		const seen = await watch.seen();
		// A busy machine may be late once; one that has to wait for the server is late by two seconds each time.
		let { painted } = seen;
		for (let again = 1; painted > 100 && again <= 4; again++) {
			const next = await watchSending(ana.page, `Once more ${again}`);
			await say(ana.page, `Once more ${again}`);
			await reached(ana.page, `Once more ${again}`, /^Stored/);
			painted = Math.min(painted, (await next.seen()).painted);
		}
		assert.ok(painted > 0 && painted <= 100, `painted after ${painted} ms`);
		assert.deepEqual({ most: seen.most, fewest: seen.fewest, sameLine: seen.sameLine }, { most: 1, fewest: 1, sameLine: true });
		assert.deepEqual((await texts(ana.page)).slice(0, 3), ["Before", "Over the sea", "And another"]);
		assert.deepEqual((await flow.stored(ana, room.id)).slice(0, 3), ["Before", "Over the sea", "And another"]);
	},
);

test("[5] an error of the server fails the message with its reason; trying again sends it, discarding drops it, and only that", async (t) => {
	const { room, people } = await flow.talk(t, ["Ana", "Bruno"]);
	const [ana, bruno] = people as [(typeof people)[0], (typeof people)[0]];
	const broken = t.mock.method(flow.charla.chat.messages, "post", () => Promise.reject(new Error("provoked by the test")));
	t.mock.method(flow.charla.log, "error", () => undefined);
	for (const text of ["Try again", "Throw away"]) {
		await say(ana.page, text);
		await line(ana.page, text)
			.getByText(/Something went wrong on our side \(reference [0-9a-f]{12}\)\. Your text is kept\./)
			.waitFor();
		await reached(ana.page, text, "Not sent");
	}
	await ana.page
		.getByRole("alert")
		.getByText(/Your message was not sent\. Something went wrong/)
		.waitFor();
	broken.mock.restore();

	await line(ana.page, "Throw away").getByRole("button", { name: "Discard" }).click();
	await line(ana.page, "Throw away").waitFor({ state: "detached" });
	await line(ana.page, "Try again").getByRole("button", { name: "Retry" }).click();
	await line(bruno.page, "Try again").waitFor();
	await reached(ana.page, "Try again", /^Stored/);
	assert.deepEqual(await texts(ana.page), ["Try again"]);
	assert.deepEqual(await flow.stored(ana, room.id), ["Try again"]);
});

long("[5] what the server refuses keeps its text and says why, and nobody else sees it", async (t) => {
	const { room, people } = await flow.talk(t, ["Ana", "Bruno"]);
	const [ana, bruno] = people as [(typeof people)[0], (typeof people)[0]];
	await say(ana.page, "/nosuchthing now");
	await line(ana.page, "/nosuchthing now")
		.getByText("There is no command /nosuchthing. Type /help for the list, or // to begin a message with a slash.")
		.waitFor();
	await say(ana.page, "Fence");
	await line(bruno.page, "Fence").waitFor();
	assert.deepEqual(await texts(bruno.page), ["Fence"]);
	assert.deepEqual(await flow.stored(ana, room.id), ["Fence"]);
	assert.deepEqual((await texts(ana.page)).sort(), ["/nosuchthing now", "Fence"]);
});

long("[10] nothing, blanks and invisible characters cannot be sent; spaces that lead in code survive", async (t) => {
	const { room, people } = await flow.talk(t, ["Ana", "Bruno"]);
	const [ana, bruno] = people as [(typeof people)[0], (typeof people)[0]];
	for (const nothing of ["", "   ", "\u200b\u200d\ufeff", "\u00a0\n\t\n", "\u2800", "\u3164"]) {
		await say(ana.page, nothing);
		await ana.page.getByRole("button", { name: "Send" }).click({ force: true });
	}
	await say(ana.page, "```\n    four spaces\n\tone tab\n```");
	const code = bruno.page.locator("pre code");
	await code.waitFor();
	assert.equal((await code.textContent())?.replace(/\n$/, ""), "    four spaces\n\tone tab");
	assert.equal((await flow.stored(ana, room.id)).length, 1);
	assert.equal((await texts(ana.page)).length, 1);
});

long("[11] near the limit the characters are counted, beyond it they cannot be sent and nothing is lost", async (t) => {
	const { people } = await flow.talk(t, ["Ana"]);
	const ana = people[0] as (typeof people)[0];
	const field = composer(ana.page);
	await field.fill("x".repeat(3499));
	assert.equal(await ana.page.getByText(/of 4,000 characters/).count(), 0);
	await field.fill("x".repeat(3500));
	await ana.page.getByText("3,500 of 4,000 characters").waitFor();
	// People count characters: an emoji is one.
	await field.fill("😀".repeat(3999));
	await ana.page.getByText("3,999 of 4,000 characters").waitFor();
	await field.fill(`${"x".repeat(4000)}yz`);
	await ana.page.getByText("2 characters too many. Shorten it or split it in two.").waitFor();
	const alert = ana.page.getByRole("alert").getByText("That is longer than 4000 characters. Shorten it or split it in two.");
	await alert.waitFor();
	await field.press("Enter");
	assert.equal((await field.inputValue()).length, 4002);
	assert.equal((await texts(ana.page)).length, 0);
	await field.press("Backspace");
	await ana.page.getByText("1 character too many. Shorten it or split it in two.").waitFor();
	await field.press("Backspace");
	await field.press("Enter");
	await reached(ana.page, "x".repeat(4000), /^Stored/);
});

long("[11] a pasted text beyond the limit is offered as several messages, which go out once, in order and whole", async (t) => {
	const { room, people } = await flow.talk(t, ["Ana", "Bruno"], { permissions: ["clipboard-read", "clipboard-write"] });
	const [ana, bruno] = people as [(typeof people)[0], (typeof people)[0]];
	const { page } = ana;
	const field = composer(page);
	await say(bruno.page, "Send me the log, please");
	const asked = line(page, "Send me the log, please");
	await asked.hover();
	await asked.getByRole("button", { name: "Reply" }).click();
	const prose = Array.from({ length: 60 }, (_, at) => `Paragraph ${at} ${"with its words ".repeat(4)}`.trim());
	const code = Array.from({ length: 200 }, (_, at) => `\tat step${at}(log.ts:${at})`);
	const text = [...prose, `\`\`\`js\n${code.join("\n")}\n\`\`\``, "That is all of it"].join("\n\n");
	const paste = async (what: string) => {
		await page.evaluate((words) => navigator.clipboard.writeText(words), what);
		await field.focus();
		await field.press("ControlOrMeta+v");
	};
	await paste(text);
	// How many it will be is said before anything goes.
	const offer = page.getByRole("button", { name: /^Send as \d+ messages$/ });
	await offer.waitFor();
	const count = Number(/\d+/.exec(await offer.innerText())?.[0]);
	assert.ok(count >= Math.ceil(text.length / 4000) && count <= Math.ceil(text.length / 2000), `${count} for ${text.length} characters`);
	assert.deepEqual(await flow.stored(ana, room.id), ["Send me the log, please"]);
	// By the keyboard alone it can be reached from the field; it is one message fewer once some of it is gone.
	await field.press("Tab");
	await page.keyboard.press("Tab");
	assert.equal(await offer.evaluate((button) => button === document.activeElement), true);
	await page.keyboard.press("Enter");
	assert.equal(await field.inputValue(), "");
	assert.equal(await field.evaluate((element) => element === document.activeElement), true);
	await line(bruno.page, "That is all of it").waitFor();
	await until(async () => (await flow.stored(ana, room.id)).length === count + 1, "every part is stored");
	const [, ...parts] = await flow.stored(ana, room.id);
	const words = (of: string) => of.split(/\s+/).filter((word) => word && !word.startsWith("```"));
	assert.deepEqual(words(parts.join("\n")), words(text));
	// Each sees them in that order, once; the first answers, and the code is code wherever it was cut.
	for (const who of [ana, bruno]) {
		const seen = (await texts(who.page)).slice(1);
		assert.equal(seen.length, count);
		assert.deepEqual(words(seen.join("\n").replace(/^Copy$/gm, "")), words(text));
		assert.equal(await who.page.locator(".quote").count(), 1);
		assert.deepEqual(
			(await who.page.locator("pre code").allTextContents()).flatMap((block) => block.trimEnd().split("\n")),
			code,
		);
	}
	await page.reload();
	await isAlive(page);
	assert.equal(await field.inputValue(), "");

	// What is more than goes at once is not offered, and stays.
	await paste("word ".repeat(9000));
	await page.getByText("That is more than 10 messages hold. Shorten it.").waitFor();
	assert.equal(await offer.count(), 0);
	assert.equal((await field.inputValue()).length, 45_000);
});

test("[13] the arrow up in an empty field edits my last message; Escape gives up; with text it moves the caret", async (t) => {
	const { people } = await flow.talk(t, ["Ana", "Bruno"]);
	const [ana, bruno] = people as [(typeof people)[0], (typeof people)[0]];
	await say(ana.page, "Frist");
	await reached(ana.page, "Frist", /^Stored/);
	await say(bruno.page, "Somebody else's");
	await line(ana.page, "Somebody else's").waitFor();

	const field = composer(ana.page);
	const editor = ana.page.getByRole("textbox", { name: "Edit your message" });
	await field.fill("one\ntwo");
	await field.press("ArrowUp");
	assert.ok((await field.evaluate((element) => (element as HTMLTextAreaElement).selectionStart)) <= 3, "the caret went up");
	assert.equal(await editor.count(), 0);

	await field.fill("");
	await field.press("ArrowUp");
	await editor.waitFor();
	assert.equal(await editor.inputValue(), "Frist");
	await editor.press("Escape");
	await editor.waitFor({ state: "detached" });
	assert.ok(await field.evaluate((element) => element === document.activeElement), "the focus is back in the field");

	await field.press("ArrowUp");
	await editor.fill("First");
	await editor.press("Enter");
	await line(bruno.page, "First").getByText("edited").waitFor();
	assert.ok(await field.evaluate((element) => element === document.activeElement), "the focus is back in the field");
	assert.deepEqual(await texts(bruno.page), ["First", "Somebody else's"]);
});

long("[13] an edit that cannot be saved keeps its text and says why, and is saved by the same key when it can be", async (t) => {
	const { people } = await flow.talk(t, ["Ana", "Bruno"], { expected: away });
	const [ana, bruno] = people as [(typeof people)[0], (typeof people)[0]];
	await say(ana.page, "Frist");
	await reached(ana.page, "Frist", /^Stored/);
	await line(bruno.page, "Frist").waitFor();
	await composer(ana.page).press("ArrowUp");
	const editor = ana.page.getByRole("textbox", { name: "Edit your message" });
	await ana.context.setOffline(true);
	await ana.page
		.getByRole("status")
		.getByText(/^You're offline\./)
		.waitFor();
	await editor.fill("First, after a tunnel");
	await editor.press("Enter");
	await ana.page
		.getByRole("alert")
		.getByText("The server cannot be reached right now. What you wrote is still here; try again when there is a connection.")
		.waitFor();
	assert.equal(await editor.inputValue(), "First, after a tunnel");
	await ana.context.setOffline(false);
	await until(() => flow.connected(ana) === 1, "she is connected again");
	await ana.page
		.getByRole("status")
		.getByText(/^You're offline\./)
		.waitFor({ state: "detached" });
	await editor.press("Enter");
	await line(bruno.page, "First, after a tunnel").getByText("edited").waitFor();
	assert.deepEqual(await texts(bruno.page), ["First, after a tunnel"]);
});

long("[14] Escape takes one step back at a time: suggestions, then the reply; menu, then editing", async (t) => {
	const { people } = await flow.talk(t, ["Ana"]);
	const ana = people[0] as (typeof people)[0];
	await say(ana.page, "Something to answer");
	await reached(ana.page, "Something to answer", /^Stored/);
	await line(ana.page, "Something to answer").hover();
	await line(ana.page, "Something to answer").getByRole("button", { name: "Reply" }).click();
	const reply = ana.page.getByText(`Replying to ${ana.name}`);
	await reply.waitFor();
	const field = composer(ana.page);
	await field.pressSequentially(":smi");
	const suggestions = ana.page.getByRole("listbox", { name: "Emoji" });
	await suggestions.waitFor();
	await field.press("Escape");
	await suggestions.waitFor({ state: "detached" });
	assert.equal(await reply.count(), 1, "the reply is still there");
	await field.press("Escape");
	await reply.waitFor({ state: "detached" });
	assert.equal(await field.inputValue(), ":smi", "and what was written too");

	await line(ana.page, "Something to answer").focus();
	await ana.page.keyboard.press("e");
	const editor = ana.page.getByRole("textbox", { name: "Edit your message" });
	await editor.waitFor();
	await ana.page.keyboard.press("Escape");
	await editor.waitFor({ state: "detached" });
	await ana.page.keyboard.press("Enter");
	const menu = ana.page.getByRole("menu");
	await menu.waitFor();
	await ana.page.keyboard.press("Escape");
	await menu.waitFor({ state: "detached" });
	assert.ok(
		await line(ana.page, "Something to answer").evaluate((row) => row === document.activeElement),
		"the message has the focus again",
	);
});

test("[16] a draft stays with its room over a switch, a reload and a crash, and the room list shows it", async (t) => {
	const { room, people } = await flow.talk(t, ["Ana"]);
	const ana = people[0] as (typeof people)[0];
	const other = await flow.room(flow.name("Other"), ana);
	const { page } = ana;
	const goTo = async (name: string) => {
		await page.getByRole("link", { name }).first().click();
		await page.getByRole("heading", { level: 1, name }).waitFor();
	};
	await page.getByRole("link", { name: other.name }).waitFor();
	await composer(page).pressSequentially("Half a thou");
	await goTo(other.name);
	assert.equal(await composer(page).inputValue(), "");
	const pencil = (at: Page) => at.getByRole("link", { name: room.name }).getByText("Unsent draft");
	await pencil(page).waitFor();
	await composer(page).pressSequentially("Another one");
	await goTo(room.name);
	assert.equal(await composer(page).inputValue(), "Half a thou");

	await page.reload();
	await until(async () => (await composer(page).inputValue()) === "Half a thou", "the draft is back after a reload");
	await composer(page).press("End");
	await composer(page).pressSequentially("ght");

	// Another tab knows of it, so it is kept; then the page dies without a word.
	const second = await ana.context.newPage();
	await second.goto(`/rooms/${room.id}`);
	await until(async () => (await composer(second).inputValue()) === "Half a thought", "the other tab has the draft");
	const crashed = new Promise((done) => page.once("crash", done));
	await page.goto("chrome://crash").catch(() => undefined);
	await crashed;
	await second.close();
	const third = await ana.context.newPage();
	await third.goto(`/rooms/${room.id}`);
	await until(async () => (await composer(third).inputValue()) === "Half a thought", "the draft is back after a crash");
	await composer(third).press("Enter");
	await reached(third, "Half a thought", /^Stored/);
	await third.getByRole("link", { name: other.name }).getByText("Unsent draft").waitFor();
	assert.equal(await pencil(third).count(), 0, "what was sent is no draft");
});

long(
	"[16] whom an answer is for and a change that was begun wait for whoever wrote them, over a reload and a visit elsewhere",
	async (t) => {
		const { room, people } = await flow.talk(t, ["Ana"]);
		const ana = people[0] as (typeof people)[0];
		const { page } = ana;
		await say(page, "Teh first");
		await say(page, "The second");
		await reached(page, "The second", /^Stored/);
		await line(page, "The second").hover();
		await line(page, "The second").getByRole("button", { name: "Reply" }).click();
		await composer(page).pressSequentially("Half an answer");
		await line(page, "Teh first").focus();
		await page.keyboard.press("Enter");
		await page.getByRole("menuitem", { name: "Edit" }).click();
		const editor = page.getByRole("textbox", { name: "Edit your message" });
		await editor.fill("The first, not sav");
		await editor.press("e");
		await editor.press("d");

		await page.reload();
		await isAlive(page);
		await page.getByText(`Replying to ${ana.name}`).waitFor();
		await until(async () => (await composer(page).inputValue()) === "Half an answer", "the answer is back");
		assert.equal(await editor.count(), 0, "nobody is thrown into editing");
		const note = line(page, "Teh first").getByText("You began to change this and did not save it.");
		await note.waitFor();

		// In the room list only what its composer holds counts as a draft; the change comes back after a visit elsewhere.
		await page.getByRole("link", { name: "Lobby" }).click();
		await page.getByRole("heading", { name: "Lobby" }).waitFor();
		assert.equal(await composer(page).inputValue(), "");
		assert.equal(await page.getByText("Replying to").count(), 0);
		await page.getByRole("link", { name: room.name }).click();
		await line(page, "Teh first").getByRole("button", { name: "Go on" }).click();
		assert.equal(await editor.inputValue(), "The first, not saved");
		await editor.fill("The first");
		await editor.press("Enter");
		await line(page, "The first").getByText("edited").waitFor();
		await composer(page).press("Enter");
		await line(page, "Half an answer").getByText("The second").waitFor();
		await reached(page, "Half an answer", /^Stored/);
		assert.deepEqual(await flow.stored(ana, room.id), ["The first", "The second", "Half an answer"]);

		// What was dropped stays dropped.
		await line(page, "The first").focus();
		await page.keyboard.press("Enter");
		await page.getByRole("menuitem", { name: "Edit" }).click();
		await editor.fill("On second thought");
		await page.reload();
		await isAlive(page);
		await line(page, "The first").getByRole("button", { name: "Discard" }).click();
		await note.waitFor({ state: "detached" });
		assert.ok(await line(page, "The first").evaluate((row) => row === document.activeElement), "the focus is with the message");
		await page.reload();
		await isAlive(page);
		await line(page, "The first").waitFor();
		assert.equal(await page.getByText("You began to change this and did not save it.").count(), 0);
		assert.equal(await page.evaluate(() => Object.keys(localStorage).filter((key) => key.startsWith("charla-draft-")).length), 0);
		assert.deepEqual(await texts(page), ["The first", "The second", "Half an answer"]);
	},
);
