import assert from "node:assert/strict";
import { test } from "node:test";
import type { Locator } from "playwright-core";
import { composer, line, openFlow, reached, say, texts, until } from "../support/flow-a-people.ts";

const flow = openFlow();

test("[1] Enter sends and Shift+Enter breaks the line; the setting swaps them, in every tab", async (t) => {
	const { people } = await flow.talk(t, ["Ana"]);
	const ana = people[0] as (typeof people)[0];
	const { page } = ana;
	const field = composer(page);
	await field.pressSequentially("first");
	await page.keyboard.press("Shift+Enter");
	await page.keyboard.type("second");
	assert.equal(await field.inputValue(), "first\nsecond");
	await page.keyboard.press("Enter");
	await reached(page, "first\nsecond", /^Stored/);
	assert.deepEqual(await texts(page), ["first\nsecond"]);

	await field.blur();
	await page.keyboard.press("?");
	const sheet = page.getByRole("dialog", { name: "Keyboard shortcuts" });
	await sheet.getByRole("checkbox", { name: /Enter sends the message/ }).uncheck();
	await page.keyboard.press("Escape");
	await sheet.waitFor({ state: "detached" });
	await field.click();
	await page.keyboard.type("third");
	await page.keyboard.press("Enter");
	await page.keyboard.type("fourth");
	assert.equal(await field.inputValue(), "third\nfourth");
	await page.keyboard.press("Control+Enter");
	await reached(page, "third\nfourth", /^Stored/);
	// The choice is this browser's: it holds after a reload too.
	await page.reload();
	await until(async () => (await texts(page)).length === 2, "the page is back");
	await field.pressSequentially("fifth");
	await page.keyboard.press("Control+Enter");
	await reached(page, "fifth", /^Stored/);
	assert.deepEqual(await texts(page), ["first\nsecond", "third\nfourth", "fifth"]);
});

test("[1] on a touch screen Enter breaks the line and the button sends", async (t) => {
	const { people } = await flow.talk(t, ["Ana"], { hasTouch: true, isMobile: true, viewport: { width: 390, height: 800 } });
	const { page } = people[0] as (typeof people)[0];
	const field = composer(page);
	await field.tap();
	await page.keyboard.type("first");
	await page.keyboard.press("Enter");
	await page.keyboard.type("second");
	assert.equal(await field.inputValue(), "first\nsecond");
	await page.getByRole("button", { name: "Send" }).tap();
	await reached(page, "first\nsecond", /^Stored/);
	assert.equal(await field.inputValue(), "");
	assert.deepEqual(await texts(page), ["first\nsecond"]);
});

test("[12] [C-19] the Enter that ends a composed word commits it and sends nothing, also where only keyCode 229 tells", async (t) => {
	const { room, people } = await flow.talk(t, ["Ana"]);
	const ana = people[0] as (typeof people)[0];
	const { page } = ana;
	const keys = await page.context().newCDPSession(page);
	const field = composer(page);
	await field.focus();
	await keys.send("Input.imeSetComposition", { text: "にほ", selectionStart: 2, selectionEnd: 2 });
	await keys.send("Input.imeSetComposition", { text: "日本", selectionStart: 2, selectionEnd: 2 });
	// While a word is being composed browsers send the key as 229; Safari's comes after the composition has ended.
	const enter = { key: "Enter", code: "Enter", windowsVirtualKeyCode: 229, nativeVirtualKeyCode: 229 } as const;
	await keys.send("Input.dispatchKeyEvent", { type: "rawKeyDown", ...enter });
	await keys.send("Input.dispatchKeyEvent", { type: "keyUp", ...enter });
	await keys.send("Input.insertText", { text: "日本" });
	assert.equal(await field.inputValue(), "日本");
	await keys.send("Input.dispatchKeyEvent", { type: "rawKeyDown", ...enter });
	await keys.send("Input.dispatchKeyEvent", { type: "keyUp", ...enter });
	/** Keys that belong to the composition, each told in every way there is. */
	const compose = (target: Locator, pressed: string[]) =>
		target.evaluate((element, names) => {
			for (const key of names)
				for (const told of [{ isComposing: true }, { keyCode: 229 }])
					for (const ctrlKey of [false, true])
						element.dispatchEvent(new KeyboardEvent("keydown", { key, ctrlKey, ...told, bubbles: true, cancelable: true }));
		}, pressed);
	await compose(field, ["Enter", "ArrowUp", "Escape", "Tab", "k"]);
	assert.equal(await field.inputValue(), "日本");
	assert.equal(await page.locator(".editor, dialog[open], [role=listbox]").count(), 0);
	assert.deepEqual(await flow.stored(ana, room.id), []);
	await page.keyboard.type("です");
	await page.keyboard.press("Enter");
	await reached(page, "日本です", /^Stored/);
	assert.deepEqual(await flow.stored(ana, room.id), ["日本です"]);

	await page.getByRole("link", { name: "About this room" }).last().click();
	const name = page.getByLabel("Bring somebody in");
	await name.fill("花子");
	await compose(name, ["Escape"]);
	assert.equal(await name.inputValue(), "花子", "the panel is still open");
	await name.press("Escape");
	await name.waitFor({ state: "detached" });
});

test("[15] Ctrl+Z takes back a completion and a paste, and what was typed before", async (t) => {
	const { people } = await flow.talk(t, ["Ana"]);
	const { page } = people[0] as (typeof people)[0];
	const field = composer(page);
	await field.pressSequentially("so :smil");
	await page.getByRole("listbox", { name: "Emoji" }).waitFor();
	await page.keyboard.press("Tab");
	assert.match(await field.inputValue(), /^so \p{Extended_Pictographic}\ufe0f? $/u);
	await page.keyboard.press("Control+z");
	assert.equal(await field.inputValue(), "so :smil");
	// The browser selects again what the completion had replaced.
	await page.keyboard.press("End");

	await page.context().grantPermissions(["clipboard-read", "clipboard-write"]);
	await page.evaluate(() => navigator.clipboard.writeText(" and pasted"));
	await page.keyboard.press("Control+v");
	assert.equal(await field.inputValue(), "so :smil and pasted");
	await page.keyboard.press("Control+z");
	assert.equal(await field.inputValue(), "so :smil");
	await page.keyboard.press("Control+Shift+z");
	assert.equal(await field.inputValue(), "so :smil and pasted");
	await page.keyboard.press("Enter");
	await reached(page, "so :smil and pasted", /^Stored/);
});

test("[23] a slash opens the commands with what they take; keyboard and mouse choose; two slashes are one", async (t) => {
	const { room, people } = await flow.talk(t, ["Ana"]);
	const ana = people[0] as (typeof people)[0];
	const { page } = ana;
	const field = composer(page);
	const list = page.getByRole("listbox", { name: "Commands" });
	const option = (name: RegExp) => list.getByRole("option", { name });
	await field.pressSequentially("/");
	await option(/^\/topic …\s*Change the topic of this room/).waitFor();
	await option(/^\/help\s*Show what you can type/).waitFor();
	// The field says which one is chosen, since the focus stays in it.
	const chosen = async () => page.locator(`[id="${await field.getAttribute("aria-activedescendant")}"]`).innerText();
	const first = await chosen();
	await page.keyboard.press("ArrowDown");
	await until(async () => (await chosen()) !== first, "the arrow chose another");
	await page.keyboard.press("ArrowUp");
	await until(async () => (await chosen()) === first, "and back");
	await page.keyboard.press("Escape");
	await list.waitFor({ state: "detached" });
	assert.equal(await field.inputValue(), "/");

	await page.keyboard.type("to");
	await option(/^\/topic/).waitFor();
	assert.equal(await list.getByRole("option").count(), 1);
	await page.keyboard.press("Enter");
	assert.equal(await field.inputValue(), "/topic ");
	await page.keyboard.type("Lunch");
	await page.keyboard.press("Enter");
	await page.getByRole("status").getByText("The room was changed.").waitFor();
	await page.getByText("Lunch", { exact: true }).waitFor();

	await field.pressSequentially("/shr");
	await option(/^\/shrug/).click();
	assert.equal(await field.inputValue(), "/shrug ");
	await page.keyboard.type("who knows");
	await page.keyboard.press("Enter");
	await line(page, "who knows ¯\\_(ツ)_/¯").waitFor();

	await say(page, "//help is how you ask");
	await reached(page, "/help is how you ask", /^Stored/);

	await field.pressSequentially("/help");
	await page.keyboard.press("Enter");
	const help = page.getByRole("complementary", { name: "What you can type" });
	await help.getByText("/invite …").waitFor();
	await page.keyboard.press("Escape");
	await help.waitFor({ state: "detached" });
	assert.deepEqual((await flow.stored(ana, room.id)).slice(1), ["/help is how you ask"]);
});
