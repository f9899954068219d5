import assert from "node:assert/strict";
import { test } from "node:test";
import { lobbyId } from "../../app/contract/fixed.ts";
import { enterAs } from "../support/browser.ts";
import { say as post } from "../support/chat.ts";
import { composer, isAlive, line, openFlow, reached, say, type Talker, texts, until } from "../support/flow-a-people.ts";
import { long } from "../support/long.ts";

const flow = openFlow();
const one = (people: Talker[]) => people[0] as Talker;

test("[doors] with JavaScript off one enters, reads, writes and turns pages, and a refused text is kept with its reason", async (t) => {
	const ana = await flow.stranger(t, { javaScript: false, expected: [/status of 422/] });
	const { page } = ana;
	await enterAs(page, flow.name("Ana"));
	const bruno = await flow.charla.person(flow.name("Bruno"));
	await post(flow.charla.chat, bruno.me, lobbyId, "Readable without a script");
	await page.reload();
	await page.getByText("Readable without a script").waitFor();
	// No script saw it on the screen: she says that she has read it, and the list knows.
	const unread = page.getByRole("link", { name: "Lobby 1 unread message" });
	await unread.waitFor();
	await page.getByRole("button", { name: "Mark 1 message as read" }).click();
	await page.getByText("Readable without a script").waitFor();
	assert.equal(await unread.count(), 0);
	assert.equal(await page.getByRole("button", { name: /as read$/ }).count(), 0);

	await composer(page).fill("Written without a script");
	await page.getByRole("button", { name: "Send" }).click();
	await line(page, "Written without a script").waitFor();
	assert.equal(await composer(page).inputValue(), "");

	const long = "x".repeat(4001);
	await composer(page).fill(long);
	await page.getByRole("button", { name: "Send" }).click();
	await page.getByRole("alert").getByText("That is longer than 4000 characters. Shorten it or split it in two.").waitFor();
	assert.equal(await composer(page).inputValue(), long);
	await composer(page).fill("/nosuch");
	await page.getByRole("button", { name: "Send" }).click();
	await page.getByRole("alert").getByText("There is no command /nosuch.").waitFor();
	assert.equal(await composer(page).inputValue(), "/nosuch");
	assert.deepEqual(await flow.stored(bruno, lobbyId), ["Readable without a script", "Written without a script"]);

	await page.getByRole("link", { name: "Numbered pages" }).click();
	await page
		.getByText(/^Page 1 of 1/)
		.first()
		.waitFor();
	await page.getByText("Written without a script").waitFor();
	await page.getByRole("link", { name: "Back to the conversation" }).click();

	// The language changes on the spot, and the words with it.
	await page.getByTitle("You and settings").click();
	await page.getByRole("button", { name: "Español" }).click();
	assert.equal(await page.locator("html").getAttribute("lang"), "es");
	await page.getByRole("button", { name: "Enviar" }).waitFor();
	await composer(page).fill("   ");
	await composer(page).evaluate((field) => field.removeAttribute("required"));
	await page.getByRole("button", { name: "Enviar" }).click();
	await page.getByRole("alert").getByText("Aún no hay nada que enviar. Escribe algo primero.").waitFor();
});

long("[M17] with JavaScript off a message is answered, edited and deleted, in sight of those who have it on", async (t) => {
	const { room, people } = await flow.talk(t, ["Bruno"]);
	const bruno = one(people);
	const who = await flow.charla.person(flow.name("Ana"));
	await flow.charla.chat.rooms.invite(bruno.me, { roomId: room.id, name: who.me.name });
	const ana = await flow.browser(t, who, { javaScript: false, expected: [/status of 422/] });
	const { page } = ana;
	await say(bruno.page, "Who brings the cake?");
	await reached(bruno.page, "Who brings the cake?", /^Stored/);
	await page.goto(`/rooms/${room.id}`);

	await line(page, "Who brings the cake?").getByRole("link", { name: "Reply" }).click();
	await page.getByRole("heading", { name: `Replying to ${bruno.name}` }).waitFor();
	assert.equal(await page.getByRole("link", { name: "Edit" }).count(), 0);
	await composer(page).fill("I do, and Ana brigns plates");
	await page.getByRole("button", { name: "Send" }).click();
	const reply = line(page, "I do, and Ana brigns plates");
	await reply.getByText("Who brings the cake?").waitFor();
	await line(bruno.page, "I do, and Ana brigns plates").getByText("Who brings the cake?").waitFor();

	await reply.getByRole("link", { name: "Edit" }).click();
	const field = page.getByRole("textbox", { name: "Edit your message" });
	assert.equal(await field.inputValue(), "I do, and Ana brigns plates");
	await field.fill("x".repeat(4001));
	await page.getByRole("button", { name: "Save" }).click();
	await page.getByRole("alert").getByText("That is longer than 4000 characters.").waitFor();
	assert.equal((await field.inputValue()).length, 4001);
	await field.fill("I do, and Ana brings plates");
	await page.getByRole("button", { name: "Save" }).click();
	await line(page, "I do, and Ana brings plates").getByText("edited").waitFor();
	await line(bruno.page, "I do, and Ana brings plates").getByText("edited").waitFor();

	// From a numbered page the number leads to the message in the room.
	await page.goto(`/rooms/${room.id}/pages/1`);
	await page.getByRole("link", { name: "Message 2" }).click();
	const remove = line(page, "I do, and Ana brings plates").getByRole("link", { name: "Delete" });
	await remove.click();
	await page.getByRole("heading", { name: "Delete this message?" }).waitFor();
	await page.getByText("I do, and Ana brings plates").waitFor();
	await page.getByRole("link", { name: "Keep it" }).click();
	await remove.click();
	await page.getByRole("button", { name: "Delete" }).click();
	await page.getByText("This message was deleted").waitFor();
	await bruno.page.getByText("This message was deleted").waitFor();
	assert.deepEqual(await flow.stored(bruno, room.id), ["Who brings the cake?", ""]);
});

long("[doors] somebody whose browser asks for Spanish enters and talks in Spanish", async (t) => {
	const ana = await flow.stranger(t, { language: "es-CL" });
	const { page } = ana;
	assert.equal(await page.locator("html").getAttribute("lang"), "es");
	await page.getByRole("heading", { name: "¿Cómo te llamas?" }).waitFor();
	await page.getByRole("textbox", { name: "Tu nombre" }).fill(flow.name("Ñandú"));
	await page.getByRole("button", { name: "Entrar" }).click();
	await page.waitForURL(/\/rooms\//);
	await isAlive(page);
	await say(page, "Buenos días");
	await reached(page, "Buenos días", /^Guardado/);
	await say(page, "/inventada");
	await line(page, "/inventada").getByText("No existe la orden /inventada.").waitFor();
});

test("[doors] a name somebody has, or one that looks the same, is refused in words, and what was typed stays", async (t) => {
	await flow.charla.person("Marisol Paz");
	const ana = await flow.stranger(t, { expected: [/40[0-9]|42[0-9]/] });
	const { page } = ana;
	const field = page.getByRole("textbox", { name: "Your name" });
	for (const name of ["Marisol Paz", "marisol  paz", "Mаrisol Pаz", "MARlSOL PAZ", "Ｍａｒｉｓｏｌ Paz"]) {
		await field.fill(name);
		await page.getByRole("button", { name: "Come in" }).click();
		await page.getByRole("alert").getByText("Somebody here already has that name, or one that looks the same. Choose another.").waitFor();
		assert.equal(await field.inputValue(), name);
		await page.goto("/");
	}
	await field.fill("Marisol Paz Dos");
	await page.getByRole("button", { name: "Come in" }).click();
	await page.waitForURL(/\/rooms\//);
});

long("[doors] [96] who leaves is out in every tab, leaves nothing unsent behind, and may come back as the same person", async (t) => {
	const { room, people } = await flow.talk(t, ["Ana"]);
	const ana = one(people);
	const second = await ana.context.newPage();
	await flow.enter(ana, second, room.id);
	await until(() => flow.connected(ana) === 2, "both tabs are connected");
	await say(ana.page, "Mine");
	await reached(ana.page, "Mine", /^Stored/);
	// Something waits in the queue and something is half written when she leaves.
	t.mock.method(flow.charla.chat.messages, "post", () =>
		Promise.reject(Object.assign(new Error("not yet"), { name: "Refusal", code: "unknown-command", details: { command: "x" } })),
	);
	await say(ana.page, "Failed and kept");
	await reached(ana.page, "Failed and kept", "Not sent");
	await composer(ana.page).pressSequentially("Half written");
	const kept = () =>
		second.evaluate(async () => {
			const drafts = Object.keys(localStorage).filter((key) => key.startsWith("charla-draft-"));
			const queued: unknown[] = [];
			for (const { name } of await indexedDB.databases()) {
				const open = indexedDB.open(name as string);
				await new Promise((done) => open.addEventListener("success", done));
				for (const store of open.result.objectStoreNames) {
					const all = open.result.transaction(store).objectStore(store).getAll();
					await new Promise((done) => all.addEventListener("success", done));
					queued.push(...all.result);
				}
				open.result.close();
			}
			return { drafts: drafts.length, queued: queued.length };
		});
	await until(async () => {
		const { drafts, queued } = await kept();
		return drafts === 1 && queued === 1;
	}, "both are kept in the browser");

	await ana.page.getByTitle("You and settings").click();
	await ana.page.getByRole("button", { name: "Leave Charla" }).click();
	// What was not sent is asked about.
	await ana.page.getByRole("button", { name: "Leave all the same" }).click();
	const back = ana.page.getByRole("button", { name: `Come back as ${ana.name}` });
	await back.waitFor();
	await until(() => flow.connected(ana) === 0, "every tab is disconnected");
	await second.getByText("You are not signed in any more. What you wrote is kept.").first().waitFor();
	assert.deepEqual(await kept(), { drafts: 0, queued: 0 });
	await second.goto(`/rooms/${room.id}`);
	await second.getByRole("button", { name: `Come back as ${ana.name}` }).waitFor();
	await second.close();

	await back.click();
	await ana.page.waitForURL(/\/rooms\//);
	await ana.page.goto(`/rooms/${room.id}`);
	await isAlive(ana.page);
	// The same person: what she wrote is hers to edit.
	await ana.page.getByText("Mine", { exact: true }).waitFor();
	await composer(ana.page).press("ArrowUp");
	assert.equal(await ana.page.getByRole("textbox", { name: "Edit your message" }).inputValue(), "Mine");
	assert.deepEqual(await texts(ana.page).then((all) => all.filter((text) => text !== "Mine")), []);
});

long("[99] an error page says what happened, in the reader's language, with a reference that can be copied", async (t) => {
	const { people } = await flow.talk(t, ["Ana"], { expected: [/status of (404|500)/] });
	const ana = one(people);
	const { page } = ana;
	await page.context().grantPermissions(["clipboard-read", "clipboard-write"]);
	t.mock.method(flow.charla.log, "error", () => undefined);
	const broken = t.mock.method(flow.charla.chat.rooms, "browse", () =>
		Promise.reject(new Error("provoked by the test, with a secret inside")),
	);
	const answer = await page.goto("/rooms/browse");
	assert.equal(answer?.status(), 500);
	await page.getByRole("heading", { name: "Something went wrong on our side" }).waitFor();
	const reference = await page.locator("code").innerText();
	assert.match(reference, /^[0-9a-f]{12}$/);
	assert.ok(!(await page.content()).includes("secret inside"), "nothing of the error itself is told");
	await until(async () => {
		await page.getByRole("button", { name: /^Cop(y|ied)$/ }).click();
		return (await page.getByRole("button", { name: "Copied" }).count()) === 1;
	}, "it is copied");
	assert.equal(await page.evaluate(() => navigator.clipboard.readText()), reference);
	broken.mock.restore();
	await page.getByRole("button", { name: "Try again" }).click();
	await page.getByRole("heading", { name: "Rooms you can join" }).waitFor();

	const missing = await page.goto("/rooms/01900000-0000-7000-8000-00000000dead");
	assert.equal(missing?.status(), 404);
	await page.getByRole("heading", { name: "There is nothing here" }).waitFor();
	await page.getByRole("link", { name: "Back to Charla" }).click();
	await composer(page).waitFor();
});
