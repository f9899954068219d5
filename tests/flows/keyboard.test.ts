import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { Page } from "playwright-core";
import { lobbyId } from "../../app/contract/fixed.ts";
import { refuse } from "../../app/contract/refusals.ts";
import type { TestCharla } from "../support/charla.ts";
import { say } from "../support/chat.ts";
import { composer, focused, isLive, line, scroller, send, wheel } from "../support/flow-b-page.ts";
import { eventually, freshName, hasReadAll, noProblems, openStage, roomWith, type Stage, sayAll, visit } from "../support/flow-b-people.ts";
import { long } from "../support/long.ts";

let charla: TestCharla;
let stage: Stage;
before(async () => {
	stage = await openStage();
	charla = stage.charla;
});
after(() => stage.close());

/** Ana and Bruno in a room with a conversation of eight lines, four of each; Bruno has read it and sits before it. */
async function scene() {
	const ana = await charla.chat.people.enter({ name: freshName("Ana") });
	const bruno = await charla.chat.people.enter({ name: freshName("Bruno") });
	const room = await roomWith(charla, ana, [bruno]);
	for (let at = 0; at < 4; at++) {
		await say(charla.chat, ana, room.id, `Ana says ${at}`);
		await say(charla.chat, bruno, room.id, `Bruno says ${at}`);
	}
	await hasReadAll(charla, bruno, room.id);
	await hasReadAll(charla, bruno, lobbyId);
	const reader = await visit(charla, { me: bruno, path: `/rooms/${room.id}` });
	await isLive(reader.page);
	return { ana, bruno, room, reader, page: reader.page };
}

/** As if the page had just been opened by somebody who uses only the keyboard: the next Tab begins at its top. */
async function fromTop(page: Page): Promise<void> {
	// The composer takes the focus of a page just opened. Taken away before it did, it would come back to it.
	await page.waitForFunction(() => document.activeElement !== document.body);
	await page.evaluate(() => {
		document.body.tabIndex = -1;
		document.body.focus();
		document.body.removeAttribute("tabindex");
	});
}

/** Tab from the beginning of the page: everything it stops at, in words, until it comes round. */
async function tabStops(page: Page, most = 40): Promise<string[]> {
	const stops: string[] = [];
	for (let at = 0; at < most; at++) {
		await page.keyboard.press("Tab");
		const stop = await focused(page);
		if (stop === "body" || (stops.length > 3 && stop === stops[0])) break;
		stops.push(stop);
	}
	return stops;
}

long("[80] everything that can be done in a room is reached by the Tab key, and what has the focus can be seen", async () => {
	const { reader, page } = await scene();
	await using _ = reader;
	await fromTop(page);
	const unseen: string[] = [];
	const stops: string[] = [];
	for (let at = 0; at < 40; at++) {
		await page.keyboard.press("Tab");
		const stop = await focused(page);
		const state = await page.evaluate(() => {
			const at = document.activeElement as HTMLElement;
			const known = window as unknown as { stops?: Set<Element> };
			known.stops ??= new Set([document.body]);
			if (known.stops.has(at)) return null;
			known.stops.add(at);
			const box = at.getBoundingClientRect();
			const [x, y] = [box.x + Math.min(box.width / 2, 40), box.y + box.height / 2];
			const top = document.elementFromPoint(x, y);
			const frame = getComputedStyle(at.matches("textarea.composer-field") ? (at.parentElement as Element) : at);
			return {
				isMarked: (frame.outlineStyle !== "none" && Number.parseFloat(frame.outlineWidth) > 0) || frame.boxShadow !== "none",
				isOnTop: top !== null && (at.contains(top) || top.contains(at)),
			};
		});
		if (!state) break;
		stops.push(stop);
		if (!state.isMarked || !state.isOnTop) unseen.push(`${stop} ${JSON.stringify(state)}`);
	}
	assert.deepEqual(unseen, [], "focus that cannot be seen");
	for (const wanted of [
		/Skip to the messages/,
		/Browse rooms/,
		/New room/,
		/You and settings/,
		/members/,
		/Numbered pages/,
		/About this room/,
		/Write to Room/,
	])
		assert.ok(
			stops.some((stop) => wanted.test(stop)),
			`${wanted} is not among\n${stops.join("\n")}`,
		);
	noProblems(reader);
});

long("[80] focus in the list is never behind the head, the day or the composer", async () => {
	const { ana, room, reader, page } = await scene();
	await using _ = reader;
	await sayAll(
		charla,
		ana,
		room.id,
		Array.from({ length: 30 }, (_, at) => `More ${at}`),
	);
	await line(page, "More 29").waitFor();
	await line(page, "More 29").focus();
	const covered: string[] = [];
	for (let at = 0; at < 30; at++) {
		await page.keyboard.press("ArrowUp");
		const problem = await page.evaluate(() => {
			const row = document.activeElement as HTMLElement;
			const text = row.querySelector(".body")?.getBoundingClientRect();
			if (!text) return "no text";
			const top = document.elementFromPoint(text.x + 5, text.y + text.height / 2);
			return top && row.contains(top) ? null : `${row.innerText} is behind ${top?.outerHTML.slice(0, 80)}`;
		});
		if (problem) covered.push(problem);
	}
	assert.deepEqual(covered, []);
	noProblems(reader);
});

long("[81] the list is one tab stop; arrows move in it, Enter opens the actions, r replies, e edits", async () => {
	const { reader, page } = await scene();
	await using _ = reader;
	await fromTop(page);
	assert.equal(await page.locator("[data-key][tabindex='0']").count(), 1);
	const rowStops = (await tabStops(page)).filter((stop) => /^listitem/.test(stop));
	assert.equal(rowStops.length, 1, "Tab stops at one message only");

	const last = line(page, "Bruno says 3");
	await last.focus();
	await page.keyboard.press("ArrowUp");
	assert.match(await focused(page), /Ana says 3/);
	await page.keyboard.press("Home");
	assert.match(await focused(page), /Ana says 0/);
	await page.keyboard.press("ArrowDown");
	assert.match(await focused(page), /Bruno says 0/);
	await page.keyboard.press("End");
	assert.match(await focused(page), /Bruno says 3/);
	assert.equal(await page.locator("[data-key][tabindex='0']").count(), 1);

	await page.keyboard.press("e");
	const editor = page.getByRole("textbox", { name: "Edit your message" });
	await editor.waitFor();
	assert.ok(await editor.evaluate((field) => field === document.activeElement));
	await editor.fill("Bruno says three");
	await page.keyboard.press("Enter");
	await line(page, "Bruno says three").waitFor();
	await eventually(async () => assert.match(await focused(page), /Bruno says three/));
	await line(page, "Bruno says three").getByText("edited").waitFor();

	// Somebody else's message cannot be edited, but answered.
	await page.keyboard.press("ArrowUp");
	await page.keyboard.press("e");
	assert.equal(await editor.count(), 0);
	await page.keyboard.press("r");
	await page.getByText(/Replying to Ana/).waitFor();
	await eventually(async () => assert.match(await focused(page), /Write to/));
	await send(page, "As you say");
	assert.match(await line(page, "As you say").innerText(), /Ana says 3/);

	// Single keys are letters while somebody writes, and can be switched off.
	await composer(page).focus();
	await page.keyboard.type("rer?");
	assert.equal(await composer(page).inputValue(), "rer?");
	await composer(page).fill("");
	await page.evaluate(() => localStorage.setItem("charla:single-keys", "no"));
	await page.reload();
	await isLive(page);
	await line(page, "Ana says 3").first().focus();
	await page.keyboard.press("r");
	await page.keyboard.press("?");
	assert.equal(await page.getByText(/Replying to Ana/).count(), 0);
	assert.equal(await page.getByRole("dialog").count(), 0);
	noProblems(reader);
});

long("[82] F6 goes round the parts of the page, the skip link to the messages", async () => {
	const { room, reader, page } = await scene();
	await using _ = reader;
	await fromTop(page);
	const where = () =>
		page.evaluate(
			() =>
				document.activeElement?.closest("[data-region]")?.getAttribute("aria-label") ??
				(document.activeElement?.closest(".composer") ? "composer" : "nowhere"),
		);
	const round: string[] = [];
	for (let at = 0; at < 3; at++) {
		await page.keyboard.press("F6");
		round.push(await where());
	}
	assert.deepEqual(round, ["Rooms", `Messages in ${room.name}`, "composer"]);
	await page.keyboard.press("F6");
	assert.equal(await where(), "Rooms", "and begins again");
	await page.keyboard.press("Shift+F6");
	assert.equal(await where(), "composer", "and goes back");

	await page.goto(`/rooms/${room.id}?panel=members`);
	await isLive(page);
	await page.keyboard.press("F6");
	const parts = [await where()];
	for (let at = 0; at < 3; at++) {
		await page.keyboard.press("F6");
		parts.push(await where());
	}
	assert.ok(parts.includes("Members"), `the panel is one of them: ${parts}`);

	await page.goto(`/rooms/${room.id}`);
	await fromTop(page);
	await page.keyboard.press("Tab");
	assert.match(await focused(page), /Skip to the messages/);
	assert.ok(
		await page.getByRole("link", { name: "Skip to the messages" }).evaluate((link) => link.getBoundingClientRect().top >= 0),
		"and can be seen",
	);
	await page.keyboard.press("Enter");
	await eventually(() => page.evaluate(() => document.activeElement?.id).then((id) => assert.equal(id, "messages")));
	noProblems(reader);
});

test("[82] Ctrl+K finds a room, Alt and arrows lead through the rooms, with Shift through the unread ones, ? shows them all", async () => {
	const ana = await charla.chat.people.enter({ name: freshName("Ana") });
	const bruno = await charla.chat.people.enter({ name: freshName("Bruno") });
	const [first, second, third] = [
		await roomWith(charla, ana, [bruno], { name: freshName("Ágora") }),
		await roomWith(charla, ana, [bruno], { name: freshName("Bench") }),
		await roomWith(charla, ana, [bruno], { name: freshName("Cellar") }),
	] as const;
	for (const id of [lobbyId, first.id, second.id, third.id]) await hasReadAll(charla, bruno, id);
	await using reader = await visit(charla, { me: bruno, path: `/rooms/${first.id}` });
	const { page } = reader;
	await isLive(page);

	await page.keyboard.press("Control+k");
	const dialog = page.getByRole("dialog", { name: "Go to a room" });
	await dialog.waitFor();
	assert.match(await focused(page), /Name of a room or person/);
	await page.keyboard.type("cell");
	await eventually(async () => assert.equal(await dialog.getByRole("option").count(), 1));
	await page.keyboard.press("Enter");
	// The address comes first; keys go by what is on screen.
	const isIn = async (room: { id: string; name: string }) => {
		await page.waitForURL(`**/rooms/${room.id}`);
		await page.getByRole("heading", { level: 1, name: room.name }).waitFor();
	};
	await isIn(third);
	await dialog.waitFor({ state: "detached" });
	// Accents are no obstacle; Escape leaves everything as it was.
	await page.keyboard.press("Control+k");
	await page.keyboard.type("agora");
	await dialog.getByRole("option", { name: first.name }).waitFor();
	await page.keyboard.press("Escape");
	await dialog.waitFor({ state: "detached" });
	assert.ok(page.url().endsWith(third.id));

	await page.keyboard.press("Alt+ArrowUp");
	await isIn(second);
	await page.keyboard.press("Alt+ArrowDown");
	await isIn(third);
	await say(charla.chat, ana, first.id, "Over here");
	await page.getByRole("link", { name: `${first.name} 1 unread message` }).waitFor();
	await page.keyboard.press("Alt+Shift+ArrowUp");
	await isIn(first);

	await line(page, "Over here").focus();
	await page.keyboard.press("?");
	const sheet = page.getByRole("dialog", { name: "Keyboard shortcuts" });
	await sheet.waitFor();
	for (const words of ["Go to a room", "Next or previous room", "Next part of the page", "Reply"])
		await sheet.getByText(words, { exact: true }).waitFor();
	// Modal: Tab stays in it.
	for (let at = 0; at < 6; at++) {
		await page.keyboard.press("Tab");
		assert.ok(
			await page.evaluate(() => document.activeElement === document.body || document.activeElement?.closest("dialog") !== null),
			"the focus left the dialog",
		);
	}
	await page.keyboard.press("Escape");
	await sheet.waitFor({ state: "detached" });
	await eventually(async () => assert.match(await focused(page), /Over here/));
	noProblems(reader);
});

test("[83] a screen reader hears each new message of others once, a burst as a number, and history not at all", async () => {
	const ana = await charla.chat.people.enter({ name: freshName("Ana") });
	const bruno = await charla.chat.people.enter({ name: freshName("Bruno") });
	const room = await roomWith(charla, ana, [bruno]);
	await sayAll(
		charla,
		ana,
		room.id,
		Array.from({ length: 130 }, (_, at) => `Old line ${at} of a long history`),
	);
	await hasReadAll(charla, bruno, room.id);
	await using reader = await visit(charla, { me: bruno, path: null });
	const { page } = reader;
	await page.clock.install();
	await page.goto(`/rooms/${room.id}`);
	await isLive(page);
	// Everything that ever entered the log, as an assistive technology would be told of it.
	await page.evaluate(() => {
		const heard: string[] = [];
		Object.assign(window, { heard });
		const log = document.querySelector("[role=log]") as Element;
		new MutationObserver((changes) => {
			for (const change of changes) for (const node of change.addedNodes) heard.push(node.textContent ?? "");
		}).observe(log, { childList: true, subtree: true, characterData: true });
	});
	const heard = () => page.evaluate(() => (window as unknown as { heard: string[] }).heard);
	assert.equal(await page.getByRole("log").getAttribute("aria-live"), "polite");
	const loaded = await page.locator("[data-seq]").count();
	await eventually(async () => {
		await wheel(page, -2000);
		assert.ok((await page.locator("[data-seq]").count()) > loaded, "history was loaded");
	});
	assert.deepEqual(await heard(), [], "history is silent");

	await say(charla.chat, ana, room.id, "Good morning");
	await eventually(async () => assert.deepEqual(await heard(), [`${ana.name}: Good morning`]));
	await send(page, "Good morning yourself");
	// However slow the machine: all six arrive before the page's clock goes on.
	await page.clock.pauseAt(Date.now() + 5000);
	await Promise.all(Array.from({ length: 6 }, (_, at) => say(charla.chat, ana, room.id, `Burst ${at}`)));
	await line(page, "Burst 5").waitFor({ state: "attached" });
	await page.clock.resume();
	await eventually(async () => assert.equal((await heard()).length, 2));
	await say(charla.chat, ana, room.id, "And that was all");
	await eventually(async () => assert.match((await heard()).at(-1) as string, /And that was all/));
	assert.deepEqual(
		await heard(),
		[`${ana.name}: Good morning`, "6 new messages", `${ana.name}: And that was all`],
		"each is told once, one's own not at all",
	);
	noProblems(reader);
});

long("[84] a message that cannot be sent and a connection that is gone are told at once", async () => {
	const { room, reader, page } = await scene();
	await using _ = reader;
	reader.problems.length = 0;
	const alerts = page.getByRole("alert");
	const statuses = () => page.getByRole("status").allInnerTexts();
	await reader.context.setOffline(true);
	await eventually(
		async () =>
			assert.ok(
				(await statuses()).some((words) => words.startsWith("You're offline.")),
				`${await statuses()}`,
			),
		4000,
	);
	await composer(page).fill("Written in a tunnel");
	await composer(page).press("Enter");
	await line(page, "Written in a tunnel")
		.getByText(/Kept here/)
		.waitFor();
	await reader.context.setOffline(false);
	await eventually(async () => assert.ok(!(await statuses()).some((words) => words.startsWith("You're offline."))));
	await eventually(async () =>
		assert.equal(
			await line(page, "Written in a tunnel")
				.getByText(/Kept here/)
				.count(),
			0,
		),
	);
	assert.equal((await alerts.allInnerTexts()).join(""), "");

	const posted = charla.chat.messages.post;
	charla.chat.messages.post = async () => {
		throw refuse("too-long", { limit: 3 });
	};
	try {
		await composer(page).fill("This one fails");
		await composer(page).press("Enter");
		await eventually(async () => assert.match((await alerts.allInnerTexts()).join(" "), /^Your message was not sent\. \S+/));
		await line(page, "This one fails").getByRole("button", { name: "Retry" }).waitFor();
	} finally {
		charla.chat.messages.post = posted;
	}
	await line(page, "This one fails").getByRole("button", { name: "Retry" }).click();
	await eventually(async () => assert.equal((await alerts.allInnerTexts()).join("").trim(), ""));
	await eventually(async () => {
		const { messages } = await charla.chat.rooms.open(reader.me, { roomId: room.id });
		assert.equal(messages.filter((message) => message.body === "This one fails").length, 1);
	});
	assert.deepEqual(
		reader.problems.filter((problem) => !/ERR_INTERNET_DISCONNECTED|WebSocket connection|Failed to fetch manifest patches/.test(problem)),
		[],
	);
});

long("[90] a menu takes the focus, moves it with the arrows and gives it back, even when the message was deleted meanwhile", async () => {
	const { ana, room, reader, page } = await scene();
	await using _ = reader;
	await line(page, "Bruno says 3").focus();
	await page.keyboard.press("Enter");
	const menu = page.getByRole("menu");
	await menu.waitFor();
	await eventually(async () => assert.match(await focused(page), /^menuitem Reply/));
	const seen: string[] = [];
	const ways = ["Reply", "Edit", "Journey", "Copy link", "Copy as Markdown", "Delete"];
	for (let at = 0; at < ways.length; at++) {
		seen.push((await focused(page)).replace("menuitem ", ""));
		await page.keyboard.press("ArrowDown");
	}
	assert.deepEqual(seen, ways);
	assert.match(await focused(page), /Reply/, "it goes round");
	await page.keyboard.press("End");
	assert.match(await focused(page), /Delete/);
	await page.keyboard.press("Escape");
	await menu.waitFor({ state: "detached" });
	assert.match(await focused(page), /^listitem.*Bruno says 3/s);

	// The dialog gives the focus back to the message when it stays ...
	await page.keyboard.press("Enter");
	await page.keyboard.press("End");
	await page.keyboard.press("Enter");
	const dialog = page.getByRole("dialog", { name: "Delete this message?" });
	await dialog.waitFor();
	assert.ok(await page.evaluate(() => document.activeElement?.closest("dialog") !== null), "the focus moved in");
	await dialog.getByRole("button", { name: "Keep it" }).click();
	await dialog.waitFor({ state: "detached" });
	await eventually(async () => assert.match(await focused(page), /Bruno says 3|Messages in/));
	// ... and to the list when it goes.
	await line(page, "Bruno says 3").focus();
	await page.keyboard.press("Enter");
	await page.keyboard.press("End");
	await page.keyboard.press("Enter");
	await dialog.getByRole("button", { name: "Delete", exact: true }).click();
	await page.getByText("This message was deleted").waitFor();
	await dialog.waitFor({ state: "detached" });
	await eventually(async () => assert.match(await focused(page), /This message was deleted|Messages in/));

	// Somebody else deletes the message whose menu is open.
	const theirs = (await charla.chat.rooms.open(ana, { roomId: room.id })).messages.find((message) => message.body === "Ana says 3")
		?.seq as number;
	await line(page, theirs).focus();
	await page.keyboard.press("Enter");
	await menu.waitFor();
	await charla.chat.messages.remove(ana, { roomId: room.id, clientId: crypto.randomUUID(), seq: theirs });
	await line(page, theirs).getByText("This message was deleted").waitFor();
	await eventually(async () => assert.notEqual(await focused(page), "body"));
	await page.keyboard.press("Escape");
	await eventually(async () => assert.match(await focused(page), /This message was deleted|Messages in/));
	noProblems(reader);
});

long("[90] a panel takes the focus to its title, Escape closes it and gives the focus back", async () => {
	const { reader, page } = await scene();
	await using _ = reader;
	const opener = page.getByRole("link", { name: /members?$/ });
	await opener.focus();
	await page.keyboard.press("Enter");
	await page.getByRole("heading", { name: "Members" }).waitFor();
	await eventually(async () => assert.match(await focused(page), /^h2 Members/));
	// Not modal: the conversation stays within reach.
	await composer(page).fill("Written beside the panel");
	await page.getByRole("heading", { name: "Members" }).focus();
	await page.keyboard.press("Escape");
	await page.getByRole("heading", { name: "Members" }).waitFor({ state: "detached" });
	await eventually(async () => assert.match(await focused(page), /member/));
	assert.equal(await composer(page).inputValue(), "Written beside the panel");
	assert.ok(await scroller(page).isVisible());
	noProblems(reader);
});
