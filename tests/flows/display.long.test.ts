import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { lobbyId } from "../../app/contract/fixed.ts";
import { limits } from "../../app/contract/limits.ts";
import { en } from "../../app/words/en.ts";
import type { TestCharla } from "../support/charla.ts";
import { say } from "../support/chat.ts";
import { composer, focused, fromEnd, isInSight, isLive, isTooWide, line, scroller, send } from "../support/flow-b-page.ts";
import { eventually, freshName, hasReadAll, noProblems, openStage, roomWith, type Stage, visit } from "../support/flow-b-people.ts";

let charla: TestCharla;
let stage: Stage;
before(async () => {
	stage = await openStage();
	charla = stage.charla;
});
after(() => stage.close());

/** Ana's room with what she said in it, before Bruno's eyes. */
async function saying(bodies: string[], options: Parameters<typeof visit>[1] = {}) {
	const ana = await charla.chat.people.enter({ name: freshName("Ana") });
	const bruno = await charla.chat.people.enter({ name: freshName("Bruno") });
	const room = await roomWith(charla, ana, [bruno]);
	const seqs: number[] = [];
	for (const body of bodies) seqs.push(await say(charla.chat, ana, room.id, body));
	await hasReadAll(charla, bruno, room.id);
	const reader = await visit(charla, { me: bruno, path: `/rooms/${room.id}`, ...options });
	try {
		await isLive(reader.page);
	} catch (error) {
		await reader.close();
		throw error;
	}
	return { ana, bruno, room, seqs, reader, page: reader.page };
}

test("[68] links lead only to the web and to mail, say where to, and lend out nothing", async () => {
	const { reader, page, seqs } = await saying([
		"See https://example.org/a_(b). And (https://example.org/c), or https://example.org/d!",
		"Write to mailto:ana@example.org please, [by **mail**](mailto:ana@example.org)",
		"[click](javascript:alert(1)) [me](data:text/html,x) [too](vbscript:x) <javascript:alert(1)> [file](file:///etc/passwd)",
		"Not https://аpple.com/login but this",
		"Turned \u202eabout https://example.org/\u202egpj.exe",
	]);
	await using _ = reader;
	const links = (at: number) =>
		line(page, seqs[at] as number)
			.locator(".body a")
			.evaluateAll((all) => all.map((a) => [a.getAttribute("href"), a.textContent, a.getAttribute("rel")]));
	assert.deepEqual(
		(await links(0)).map(([href]) => href),
		["https://example.org/a_(b)", "https://example.org/c", "https://example.org/d"],
		"what closes the sentence is not part of the address",
	);
	assert.ok((await links(1)).some(([href]) => href === "mailto:ana@example.org"));
	assert.deepEqual(await links(2), []);
	const [mixed] = await links(3);
	assert.match(String(mixed?.[1]), /xn--/, "a host of mixed scripts is shown for what it is");
	assert.doesNotMatch(
		await line(page, seqs[4] as number)
			.locator(".body")
			.innerText(),
		/\u202e/,
	);
	const hrefs = await page
		.locator(".body a")
		.evaluateAll((all) => all.map((a) => [(a as HTMLAnchorElement).protocol, a.getAttribute("rel")]));
	for (const [protocol, rel] of hrefs) {
		assert.match(String(protocol), /^(https?|mailto):$/);
		assert.equal(rel, "noopener noreferrer nofollow");
	}
	noProblems(reader);
});

test("[70] each message and the composer run in the direction of their own text", async () => {
	const { reader, page, seqs } = await saying(["שלום, זה עברית", "مرحبا بكم في charla", "Hello שלום", "**שלום** עם הדגשה"]);
	await using _ = reader;
	const directions = await Promise.all(
		seqs.map((seq) =>
			line(page, seq)
				.locator(".body")
				.evaluate((body) => getComputedStyle(body.querySelector("p") ?? body).direction),
		),
	);
	assert.deepEqual(directions.slice(0, 3), ["rtl", "rtl", "ltr"]);
	assert.equal(
		await line(page, seqs[3] as number)
			.locator(".body")
			.evaluate((body) => getComputedStyle(body).direction),
		"rtl",
	);
	const field = composer(page);
	assert.equal(await field.getAttribute("dir"), "auto");
	await field.fill("שלום");
	assert.equal(await field.evaluate((element) => getComputedStyle(element).direction), "rtl");
	await field.fill("Hello");
	assert.equal(await field.evaluate((element) => getComputedStyle(element).direction), "ltr");
	noProblems(reader);
});

test("[71][69] neither an endless word nor wide code nor a strange name makes a page of 320 px scroll sideways", async () => {
	const zalgo = "Z\u0335\u0317a\u0334\u0331l\u0337g";
	const { reader, page, ana, room, seqs } = await saying(
		[
			"w".repeat(limits.body),
			`\`\`\`js\n${"const aVeryLongName = anotherVeryLongName; ".repeat(20)}\n\`\`\``,
			`https://example.org/${"a".repeat(800)}`,
			`> ${"q".repeat(900)}`,
			`- ${"l".repeat(900)}`,
			`\`${"c".repeat(900)}\``,
		],
		{ viewport: { width: 320, height: 640 } },
	);
	await using _ = reader;
	await charla.chat.messages.post(ana, {
		roomId: room.id,
		clientId: crypto.randomUUID(),
		body: `answered by ${zalgo}`,
		replyTo: seqs[0] as number,
	});
	await line(page, "answered by").waitFor();
	assert.ok(!(await isTooWide(page)));
	const wide = await scroller(page).evaluate((box) => box.scrollWidth - box.clientWidth);
	assert.ok(wide <= 1, `the conversation is ${wide} px wider than its box`);
	const code = page.locator(".body pre").first();
	assert.ok(await code.evaluate((pre) => pre.scrollWidth > pre.clientWidth), "code scrolls within itself");
	await composer(page).fill("w".repeat(900));
	assert.ok(!(await isTooWide(page)));
	await page.goto(`/rooms/${room.id}/pages/1`);
	assert.ok(!(await isTooWide(page)), "numbered pages");
	noProblems(reader);
});

test("[72] one to three emoji alone are large, a family is one, with words they are not", async () => {
	const { reader, page, seqs } = await saying(["🎉", "👩‍👩‍👧‍👦", "👍🏽👏🏽🙌🏽", "🎉🎉🎉🎉", "fine 🎉", "just words"]);
	await using _ = reader;
	const sizes = await Promise.all(
		seqs.map((seq) =>
			line(page, seq)
				.locator(".body")
				.evaluate((body) => Number.parseFloat(getComputedStyle(body).fontSize)),
		),
	);
	const plain = sizes[5] as number;
	assert.ok((sizes[0] as number) >= plain * 2);
	assert.equal(sizes[1], sizes[0], "a family counts as one");
	assert.ok((sizes[2] as number) > plain * 1.5 && (sizes[2] as number) < (sizes[0] as number));
	assert.equal(sizes[3], plain);
	assert.equal(sizes[4], plain);
	noProblems(reader);
});

test("[73] code is coloured, scrolls by keyboard and can be copied", async () => {
	const source = `const answer = 42; // ${"a long comment ".repeat(20)}\n\treturn "tab";`;
	const huge = `\`\`\`js\n${"let a = 1;\n".repeat(350)}\`\`\``;
	const { reader, page, seqs, ana, room } = await saying([huge, `\`\`\`js\n${source}\n\`\`\``, "after"], {
		permissions: ["clipboard-read", "clipboard-write"],
	});
	await using _ = reader;
	const row = line(page, seqs[1] as number);
	const pre = row.locator("pre");
	const colours = await pre.locator("span").evaluateAll((spans) => new Set(spans.map((span) => getComputedStyle(span).color)).size);
	assert.ok(colours >= 3, `${colours} colours`);
	// By keyboard alone: an arrow to its message, then Tab past the message's own links.
	await line(page, seqs[2] as number).focus();
	await page.keyboard.press("ArrowUp");
	for (let at = 0; at < 4 && !(await pre.evaluate((element) => element === document.activeElement)); at++) await page.keyboard.press("Tab");
	assert.match(await focused(page), /^pre const answer/);
	await page.keyboard.press("ArrowRight");
	await page.keyboard.press("ArrowRight");
	await eventually(async () => assert.ok((await pre.evaluate((element) => element.scrollLeft)) > 0, "the arrow key scrolls it"));
	await row.hover();
	await row.getByRole("button", { name: "Copy this code" }).click();
	await page.getByRole("status").filter({ hasText: "Copied" }).waitFor();
	assert.equal((await page.evaluate(() => navigator.clipboard.readText())).trimEnd(), source);
	// Once it was edited, what is copied is what stands there now.
	const edited = { roomId: room.id, clientId: crypto.randomUUID(), seq: seqs[1] as number, body: "```js\nconst answer = 43;\n```" };
	await charla.chat.messages.edit(ana, edited);
	await row.getByText("edited").waitFor();
	await row.hover();
	await row.getByRole("button", { name: "Copy this code" }).click();
	await eventually(async () => assert.equal((await page.evaluate(() => navigator.clipboard.readText())).trimEnd(), "const answer = 43;"));
	assert.equal(
		await line(page, seqs[0] as number)
			.locator("pre")
			.innerText()
			.then((text) => text.trimEnd().split("\n").length),
		350,
	);
	noProblems(reader);
});

test("[89] the system's theme is followed while the page is open, a chosen one is kept, and no page shows another first", async () => {
	const { reader, page, room } = await saying(["Colours"]);
	await using _ = reader;
	const paper = () => page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor);
	const light = await paper();
	await page.emulateMedia({ colorScheme: "dark" });
	await eventually(async () => assert.notEqual(await paper(), light));
	const dark = await paper();
	await page.emulateMedia({ colorScheme: "light" });
	await eventually(async () => assert.equal(await paper(), light));

	await page.locator("details.me summary").click();
	await page.getByRole("button", { name: "Dark" }).click();
	await eventually(async () => assert.equal(await paper(), dark));
	assert.ok(page.url().includes(room.id), "on the same page");
	// The very first bytes say it: nothing has to run before the right colours are there.
	const html = await (await reader.context.request.get(`/rooms/${room.id}`)).text();
	assert.match(html.slice(0, 300), /<html[^>]*data-theme="dark"/);
	assert.match(html, /<meta name="color-scheme" content="dark"/);
	await page.reload();
	assert.equal(await paper(), dark);
	// Without scripts too: what is painted is what stays.
	await using plain = await visit(charla, { me: reader.me, javaScript: false, path: null });
	await plain.context.addCookies([{ name: "theme", value: "dark", url: charla.url }]);
	await plain.page.goto(`/rooms/${room.id}`);
	assert.equal(await plain.page.locator("html").getAttribute("data-theme"), "dark");
	await isLive(page);
	await page.locator("details.me summary").click();
	await page.getByRole("button", { name: "As my system" }).click();
	await eventually(async () => assert.equal(await paper(), light));
	noProblems(reader, plain);
});

const phone = { viewport: { width: 360, height: 740 }, hasTouch: true, isMobile: true };

test("on a phone the rooms, a room and its panel are one thing at a time, and back leads through them", async () => {
	const { reader, page, room } = await saying(["Read on a phone"], phone);
	await using _ = reader;
	await page.goto("/rooms");
	const rooms = page.getByRole("navigation", { name: "Rooms" });
	await rooms.getByRole("link", { name: room.name }).tap();
	await line(page, "Read on a phone").waitFor();
	await eventually(async () => assert.ok(!(await rooms.isVisible()), "only the room is shown"));
	assert.ok(!(await isTooWide(page)));
	const field = await composer(page).boundingBox();
	assert.ok(field && field.y + field.height <= 740 && field.width > 200);
	assert.ok(
		(await composer(page).evaluate((element) => Number.parseFloat(getComputedStyle(element).fontSize))) >= 16,
		"no zoom when it gets the focus",
	);

	await page.getByRole("link", { name: /members?$/ }).tap();
	await page.getByRole("heading", { name: "Members" }).waitFor();
	const sheet = await page.getByRole("complementary", { name: "Members" }).boundingBox();
	assert.ok(sheet && sheet.width >= 340, "the panel is a sheet over the room");
	await page.goBack();
	await page.getByRole("heading", { name: "Members" }).waitFor({ state: "detached" });
	assert.ok(await line(page, "Read on a phone").isVisible(), "back closes the sheet first");

	// Enter breaks the line on touch; the button sends.
	await composer(page).tap();
	await composer(page).pressSequentially("first row");
	await composer(page).press("Enter");
	await composer(page).pressSequentially("second row");
	assert.equal(await composer(page).inputValue(), "first row\nsecond row");
	await page.getByRole("button", { name: "Send" }).tap();
	await line(page, "first row").waitFor();

	// The actions of a message come as a sheet from below, within the window.
	await line(page, "Read on a phone").getByRole("button", { name: "More actions" }).tap();
	const menu = page.getByRole("menu");
	await menu.waitFor();
	await eventually(async () => {
		const box = await menu.boundingBox();
		assert.ok(box && box.x >= 0 && box.x + box.width <= 360 && box.y + box.height <= 740 && box.width > 300, JSON.stringify(box));
	});
	await menu.getByRole("menuitem", { name: "Reply" }).tap();
	await page.getByText(/Replying to Ana/).waitFor();

	await page.getByRole("link", { name: "All rooms" }).tap();
	await page.waitForURL("**/rooms");
	await rooms.waitFor();
	await page.goBack();
	await line(page, "Read on a phone").waitFor();
	noProblems(reader);
});

test("[32] on a phone the keyboard that comes up leaves the end and the composer in sight", async () => {
	const { reader, page, seqs } = await saying(
		Array.from({ length: 30 }, (_, at) => `Line ${at}`),
		phone,
	);
	await using _ = reader;
	assert.ok((await fromEnd(page)) <= 1);
	assert.match((await page.locator("meta[name=viewport]").getAttribute("content")) ?? "", /interactive-widget=resizes-content/);
	await composer(page).tap();
	await page.setViewportSize({ width: 360, height: 420 });
	await eventually(async () => {
		assert.ok((await fromEnd(page)) <= 1);
		assert.ok(await isInSight(page, seqs.at(-1) as number));
		const field = await composer(page).boundingBox();
		assert.ok(field && field.y + field.height <= 420);
	});
	noProblems(reader);
});

test("who is here, who writes and what waits elsewhere can be seen, and goes again", async () => {
	const { ana, room, reader, page } = await saying(["Anybody?"], {});
	await using _ = reader;
	await page.goto(`/rooms/${room.id}?panel=members`);
	const members = page.getByRole("complementary", { name: "Members" });
	await members.getByText("not here now").waitFor();
	const other = await visit(charla, { me: ana, path: `/rooms/${room.id}` });
	await members
		.getByRole("listitem")
		.filter({ hasText: ana.name })
		.getByText("here now", { exact: false })
		.filter({ hasNotText: "not here" })
		.waitFor();
	await isLive(other.page);
	await composer(other.page).pressSequentially("I am wri");
	await page.getByText(`${ana.name} is typing`).waitFor();
	assert.equal(await other.page.getByText(/is typing$/).count(), 0, "nobody is told of themselves");
	await page.getByText(`${ana.name} is typing`).waitFor({ state: "detached", timeout: limits.typingShown + 20_000 });

	const elsewhere = await roomWith(charla, ana, [reader.me]);
	await say(charla.chat, ana, elsewhere.id, "And here");
	await page.getByRole("link", { name: `${elsewhere.name} 1 unread message` }).waitFor();
	await other.close();
	await members.getByText("not here now").waitFor();
	noProblems(reader);
});

test("[48] the tab's icon fills as my message travels, and is at rest once everybody has seen it", async () => {
	const { ana, room, bruno, reader } = await saying(["Before"], {});
	await using _ = reader;
	// Bruno is away: what is said to him stays on its way.
	await reader.page.goto("about:blank");
	await using writer = await visit(charla, { me: ana, path: `/rooms/${room.id}` });
	const { page } = writer;
	await isLive(page);
	const icon = page.locator("link[rel=icon]");
	await eventually(async () => assert.match((await icon.getAttribute("href")) ?? "", /^\/favicon/));
	await send(page, "Is anybody there?");
	await eventually(async () => assert.match(decodeURIComponent((await icon.getAttribute("href")) ?? ""), /stroke-dasharray="36 100"/));
	// The policy of the page lets it be drawn.
	const href = (await icon.getAttribute("href")) as string;
	const width = await page.evaluate(
		(src) =>
			new Promise<number>((done, fail) => {
				const picture = new Image();
				picture.onload = () => done(picture.naturalWidth);
				picture.onerror = () => fail(new Error("not drawn"));
				picture.src = src;
			}),
		href,
	);
	assert.ok(width > 0);
	const { lastSeq } = (await charla.chat.rooms.open(bruno, { roomId: room.id })).room;
	await charla.chat.rooms.pointers(bruno, { roomId: room.id, delivered: lastSeq, displayed: lastSeq });
	await eventually(async () => assert.match((await icon.getAttribute("href")) ?? "", /^\/favicon/));
	noProblems(writer);
});

test("a room gets another name and topic, and everybody in it sees them at once", async () => {
	const { ana, room, reader, page } = await saying(["Before"], {});
	await using _ = reader;
	await using owner = await visit(charla, { me: ana, path: `/rooms/${room.id}?panel=about` });
	const name = freshName("Renamed");
	await owner.page.getByLabel("Name", { exact: true }).fill(name);
	await owner.page.getByLabel("Topic").fill("What we talk about now");
	await owner.page.getByRole("button", { name: "Save" }).click();
	// Whom the server would refuse is not asked: neither in this room nor, whoever it is, in the lobby.
	for (const id of [room.id, lobbyId]) {
		await page.goto(`/rooms/${id}?panel=about`);
		await page.getByLabel("Bring somebody in").waitFor();
		assert.equal(await page.getByRole("button", { name: "Save" }).count(), 0);
	}
	await page.goto(`/rooms/${room.id}`);
	for (const each of [page, owner.page]) {
		await each.getByRole("heading", { level: 1, name }).waitFor();
		await each.getByText("What we talk about now").first().waitFor();
		await each.getByRole("navigation", { name: "Rooms" }).getByRole("link", { name }).waitFor();
		await eventually(async () => assert.match(await each.title(), new RegExp(name)));
	}
	noProblems(reader, owner);
});

test("a private room appears when somebody is invited, is gone when they leave, and is nobody else's", async () => {
	const ana = await charla.chat.people.enter({ name: freshName("Ana") });
	await using bruno = await visit(charla, {});
	await using carla = await visit(charla, { expected: [/404/] });
	await using owner = await visit(charla, { me: ana, path: "/rooms/new" });
	const name = freshName("Secret");
	await owner.page.getByLabel("Name", { exact: true }).fill(name);
	await owner.page.getByLabel(/Only those invited/).check();
	await owner.page.getByRole("button", { name: "Create room" }).click();
	await owner.page.getByRole("heading", { level: 1, name }).waitFor();
	await isLive(owner.page);
	await send(owner.page, "Between us");
	await isLive(bruno.page);
	await owner.page.getByRole("link", { name: "About this room" }).last().click();
	await owner.page.getByLabel("Bring somebody in").fill(bruno.name);
	await owner.page.getByRole("button", { name: "Invite" }).click();
	const link = bruno.page.getByRole("navigation", { name: "Rooms" }).getByRole("link", { name });
	await link.waitFor();
	await link.click();
	await line(bruno.page, "Between us").waitFor();
	const path = new URL(bruno.page.url()).pathname;
	await carla.page.goto("/rooms/browse");
	assert.equal(await carla.page.getByText(name).count(), 0);
	const refused = await carla.page.goto(path);
	assert.equal(refused?.status(), 404);
	assert.equal(await carla.page.getByText("Between us").count(), 0);

	await bruno.page.goto(`${path}?panel=about`);
	await bruno.page.getByRole("button", { name: "Leave this room" }).click();
	await bruno.page.waitForURL("**/rooms");
	await link.waitFor({ state: "detached" });
	noProblems(owner, bruno, carla);
});

test("a conversation of two begins from the list of people and is the same one from both sides", async () => {
	await using ana = await visit(charla, { path: "/people" });
	await using bruno = await visit(charla, {});
	await isLive(bruno.page);
	const search = ana.page.getByRole("searchbox", { name: "Search by name" });
	await search.fill(bruno.name);
	await search.press("Enter");
	await ana.page.getByRole("button", { name: en["members.messageName"].replace("{name}", bruno.name) }).click();
	await ana.page.getByRole("heading", { level: 1, name: bruno.name }).waitFor();
	await isLive(ana.page);
	await send(ana.page, "Just for you");
	const link = bruno.page.getByRole("navigation", { name: "Rooms" }).getByRole("link", { name: new RegExp(ana.name) });
	await link.waitFor();
	await link.getByText("1 unread message").waitFor();
	await link.click();
	await line(bruno.page, "Just for you").waitFor();
	await send(bruno.page, "And back");
	await line(ana.page, "And back").waitFor();
	assert.equal(new URL(bruno.page.url()).pathname, new URL(ana.page.url()).pathname);
	assert.notEqual(lobbyId, new URL(ana.page.url()).pathname.split("/")[2]);
	noProblems(ana, bruno);
});
