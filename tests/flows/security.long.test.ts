import assert from "node:assert/strict";
import { test } from "node:test";
import type { Page } from "playwright-core";
import { asRefusal } from "../../app/contract/refusals.ts";
import { say as post } from "../support/chat.ts";
import { composer, line, openFlow, say, type Talker, texts } from "../support/flow-a-people.ts";
import { xssCorpus } from "../support/xss-corpus.ts";

const flow = openFlow();

/** Tells of everything that could run: alert and its kin, loads from elsewhere. */
async function watchFor(page: Page): Promise<string[]> {
	const ran: string[] = [];
	page.on("dialog", (dialog) => {
		ran.push(`dialog: ${dialog.message()}`);
		void dialog.dismiss();
	});
	page.on("request", (request) => {
		const { hostname, protocol } = new URL(request.url());
		if (hostname !== "127.0.0.1" && protocol !== "data:" && protocol !== "blob:") ran.push(`request: ${request.url()}`);
	});
	page.on("popup", (popup) => ran.push(`popup: ${popup.url()}`));
	return ran;
}

/** What in the page could run something, in words; nothing of it may come from people. */
const dangers = (page: Page) =>
	page.evaluate(() => {
		const found: string[] = [];
		const own = "iframe, object, embed, base, meta[http-equiv], frame, form[action^='javascript' i], animate, set, foreignObject, math";
		for (const element of document.querySelectorAll(own)) found.push(`<${element.localName}>`);
		for (const script of document.querySelectorAll("script"))
			if (!script.nonce) found.push(`script without a nonce: ${script.textContent?.slice(0, 80)}`);
		// The tab's icon is drawn by the page (tab-icon.ts): a picture, in which nothing runs.
		const icon = (element: Element, value: string) => element.matches("head > link[rel=icon]") && value.startsWith("data:image/svg+xml,");
		for (const element of document.querySelectorAll("*"))
			for (const { name, value } of element.attributes) {
				if (name.startsWith("on") || name === "srcdoc") found.push(`${element.localName} ${name}=${value}`);
				if (
					["href", "src", "action", "formaction", "xlink:href"].includes(name) &&
					!/^(https?:\/\/|mailto:|\/(?!\/)|#|\?|$)/i.test(value.trim()) &&
					!icon(element, value)
				)
					found.push(`${element.localName} ${name}=${value}`);
			}
		// Pictures and styles people write would be marks of who reads; the page's own live outside of messages.
		for (const element of document.querySelectorAll(".body :is(img, picture, video, audio, style, link, svg, input, [style], [id])"))
			found.push(`in a message: ${element.outerHTML.slice(0, 80)}`);
		return found;
	});

test("[67] no text of the corpus runs anything as a message, whether it comes live, with the page, or on a numbered page", async (t) => {
	assert.ok(xssCorpus.length >= 100, `${xssCorpus.length} texts`);
	const { room, people } = await flow.talk(t, ["Ana", "Bruno"]);
	const [ana, bruno] = people as [Talker, Talker];
	const ran = await watchFor(ana.page);
	let last = 0;
	for (const text of xssCorpus) last = await post(flow.charla.chat, bruno.me, room.id, text.startsWith("/") ? `/${text}` : text);
	await post(flow.charla.chat, bruno.me, room.id, "Fence");
	await line(ana.page, "Fence").waitFor();
	// Quoted, edited and sent by the page itself as well.
	await say(ana.page, xssCorpus[0] as string);
	await line(bruno.page, xssCorpus[0] as string)
		.last()
		.waitFor();
	assert.deepEqual(await dangers(ana.page), []);
	assert.ok((await texts(ana.page)).length >= xssCorpus.length, "every one of them is on the page");

	await ana.page.goto(`/rooms/${room.id}?at=${last}`);
	await line(ana.page, "Fence").waitFor();
	assert.deepEqual(await dangers(ana.page), []);
	for (let number = 1; number <= Math.ceil(xssCorpus.length / 50); number++) {
		await ana.page.goto(`/rooms/${room.id}/pages/${number}?size=50`);
		await ana.page
			.getByText(new RegExp(`^Page ${number} of `))
			.first()
			.waitFor();
		assert.deepEqual(await dangers(ana.page), []);
	}
	// Handlers that wait for the mouse get their chance.
	for (const body of (await ana.page.locator(".body").all()).slice(0, 40)) await body.hover({ timeout: 1000 }).catch(() => undefined);
	assert.deepEqual(ran, []);
});

test("[67] nor as the name of a person or a room, or as a topic", async (t) => {
	const { chat } = flow.charla;
	const { people } = await flow.talk(t, ["Ana"]);
	const ana = people[0] as Talker;
	const ran = await watchFor(ana.page);
	let named = 0;
	let rooms = 0;
	const last: { id: string; name: string }[] = [];
	const isRefused = (error: unknown) => {
		if (!asRefusal(error)) throw error;
		return null;
	};
	for (const text of xssCorpus) {
		const person = await chat.people.enter({ name: text.slice(0, 32) }).catch(isRefused);
		if (person) named++;
		const parsed = text.replace(/\s+/g, " ").slice(0, 60);
		const room = await chat.rooms
			.create(ana.me, { name: parsed, topic: text.replace(/\s+/g, " ").slice(0, 200), kind: "public" })
			.catch(isRefused);
		if (!room) continue;
		rooms++;
		if (!person) continue;
		await chat.rooms.join(person, { roomId: room.id });
		await post(chat, person, room.id, "Hello from a strange name");
		last.push(room);
	}
	assert.ok(named >= 20 && rooms >= 80, `${named} names and ${rooms} rooms were taken`);
	// Live in the list, then each kind of page that shows names.
	await ana.page
		.getByRole("link", { name: (last.at(-1) as { name: string }).name.trim() })
		.first()
		.waitFor();
	assert.deepEqual(await dangers(ana.page), []);
	for (const room of last.slice(-6)) {
		for (const path of [
			`/rooms/${room.id}`,
			`/rooms/${room.id}?panel=members`,
			`/rooms/${room.id}?panel=about`,
			`/rooms/${room.id}/pages`,
		]) {
			await ana.page.goto(path);
			await ana.page.getByText("Hello from a strange name").first().waitFor();
			assert.deepEqual(await dangers(ana.page), [], path);
		}
	}
	for (const path of ["/rooms/browse", "/people", "/people?q=%3Cimg%20src%3Dx%20onerror%3Dalert(1)%3E"]) {
		await ana.page.goto(path);
		assert.deepEqual(await dangers(ana.page), [], path);
	}
	await ana.page.keyboard.press("Control+k");
	await ana.page.getByRole("dialog").waitFor();
	await ana.page.keyboard.type("script");
	assert.deepEqual(await dangers(ana.page), []);
	assert.deepEqual(ran, []);
});

test("[67] a draft, a refused text and an address with script in them run nothing either", async (t) => {
	const { room, people } = await flow.talk(t, ["Ana"], { expected: [/status of (4\d\d|5\d\d)/] });
	const ana = people[0] as Talker;
	const ran = await watchFor(ana.page);
	const text = "</textarea></script><script>alert(1)</script><img src=x onerror=alert(1)>";
	await composer(ana.page).fill(text);
	await ana.page.reload();
	await ana.page.waitForFunction((text) => document.querySelector("textarea")?.value === text, text);
	assert.deepEqual(await dangers(ana.page), []);
	const evil = encodeURIComponent(text);
	for (const path of [
		`/rooms/${room.id}?at=${evil}`,
		`/rooms/${evil}`,
		`/${evil}`,
		`/?next=${encodeURIComponent("javascript:alert(1)")}`,
		`/rooms/${room.id}?panel=${evil}`,
		`/people?q=${evil}`,
	]) {
		await ana.page.goto(path);
		assert.equal(new URL(ana.page.url()).hostname, "127.0.0.1");
		assert.deepEqual(await dangers(ana.page), [], path);
	}
	assert.deepEqual(ran, []);
});

test("[69] names that turn text around, hide or pile up marks are refused at the door, in words", async (t) => {
	const stranger = await flow.stranger(t, { expected: [/status of 4\d\d/] });
	const { page } = stranger;
	const names = {
		"right-to-left override": "Ana\u202egnp.exe",
		isolate: "\u2066Ana\u2069",
		"zero width": "A\u200bna",
		Zalgo: "A\u0301\u0302\u0303\u0304\u0305n\u0301\u0302\u0303\u0304a",
	};
	for (const [what, name] of Object.entries(names)) {
		await page.goto("/");
		await page.getByRole("textbox", { name: "Your name" }).fill(name);
		await page.getByRole("button", { name: "Come in" }).click();
		await page
			.getByRole("alert")
			.getByText("That name has characters that cannot be shown safely. Use letters, digits, spaces and simple punctuation.")
			.waitFor()
			.catch((error: unknown) => assert.fail(`${what}: ${error}`));
	}
	// Direction of the text is welcome as long as letters carry it.
	await page.goto("/");
	await page.getByRole("textbox", { name: "Your name" }).fill("שָׁלוֹם");
	await page.getByRole("button", { name: "Come in" }).click();
	await page.waitForURL(/\/rooms\//);
});
