import { uuidOf } from "../app/chat/ids.ts";
import type { Chat } from "../app/chat/index.server.ts";
import { lobbyId } from "../app/contract/fixed.ts";
import type { MyRoom, Person } from "../app/contract/shapes.ts";

/** The people of every example: in the docs, the tests, the screenshots and a seeded laptop. */
export const names = ["Ana", "Bruno", "Carla", "Diego", "Elena"] as const;
export type Name = (typeof names)[number];

export type Seeded = { people: Record<Name, Person>; rooms: { lobby: string; design: MyRoom; deploys: MyRoom; direct: MyRoom } };

type Line = [Name, string, { replyTo?: number }?];

const lobby: Line[] = [
	["Ana", "Good morning. The coffee machine is **back** ☕"],
	["Bruno", "Buenos días. I owe it an apology."],
	["Carla", "Has anybody seen the notes of yesterday's review?"],
	["Ana", "They are here: https://wiki.example.org/review-47 (the last page is the one you want)"],
	["Carla", "Found them, thank you."],
	["Diego", "🎉"],
	["Bruno", "chucknorris"],
	["Elena", "That never gets old."],
];

const design: Line[] = [
	[
		"Carla",
		"New draft of the message line. Three things changed:\n\n1. the thread beside your own messages\n2. more air between groups\n3. quotes are links now",
	],
	["Ana", "I like the thread. Could it be a little thinner?"],
	["Carla", "Like this?\n\n```css\n.hilo {\n  inline-size: 2px;\n  transform-origin: top;\n}\n```"],
	["Ana", "Exactly like that."],
	["Elena", "> more air between groups\n\nYes. On my phone it reads much better."],
	["Carla", "Then I'll take it to the review on Thursday. Until then: `npm run shots` shows every state."],
];

const deploys: Line[] = [
	["Diego", "Deploying the new catch-up. Nobody should notice anything."],
	["Elena", "Famous last words."],
	["Diego", "Done: 2 instances, 0 messages lost, longest gap 1.4 s."],
	["Bruno", "I did not notice anything."],
];

/**
 * Fills an empty Charla with people who talk. Safe to run again: everything is keyed, so nothing appears twice.
 */
export async function seedContent(chat: Chat): Promise<Seeded> {
	const people = {} as Record<Name, Person>;
	for (const name of names) people[name] = await enterOrFind(chat, people.Ana, name);
	const { Ana, Bruno, Carla, Diego, Elena } = people;

	const mine = await chat.rooms.mine(Ana);
	const room = async (name: string, topic: string, kind: "public" | "private", owner: Person, others: Person[]) => {
		const known = (await chat.rooms.mine(owner)).find((each) => each.name === name && each.kind === kind);
		const made = known ?? (await chat.rooms.create(owner, { name, topic, kind }));
		for (const other of others) await chat.rooms.invite(owner, { roomId: made.id, name: other.name });
		return made;
	};
	const designRoom = await room("Design", "How Charla looks and feels", "public", Carla, [Ana, Elena, Bruno]);
	const deployRoom = await room("Deploys", "What goes out, when, and how it went", "private", Diego, [Elena, Bruno, Ana]);
	const direct = await chat.rooms.direct(Bruno, { userId: Ana.id });

	const say = async (roomId: string, lines: Line[]) => {
		for (const [index, [name, body]] of lines.entries())
			await chat.messages.post(people[name], { roomId, clientId: uuidOf("seed", roomId, String(index)), body, replyTo: null });
	};
	if (mine.every((each) => each.id !== lobbyId || each.lastMsg === 0)) await say(lobbyId, lobby);
	await say(designRoom.id, design);
	await say(deployRoom.id, deploys);
	await say(direct.id, [
		["Bruno", "Do you have ten minutes after lunch?"],
		["Ana", "At two. Bring the **short** version."],
	]);
	// Answered again under the same key: only the first run makes it a reply.
	const { messages } = await chat.rooms.open(Ana, { roomId: designRoom.id });
	const asked = messages.find((message) => message.body.startsWith("I like the thread"));
	if (asked)
		await chat.messages.post(Bruno, {
			roomId: designRoom.id,
			clientId: uuidOf("seed", designRoom.id, "reply"),
			body: "Thinner, and it should end where the message ends.",
			replyTo: asked.seq,
		});
	return { people, rooms: { lobby: lobbyId, design: designRoom, deploys: deployRoom, direct } };
}

async function enterOrFind(chat: Chat, me: Person | undefined, name: string): Promise<Person> {
	try {
		return await chat.people.enter({ name });
	} catch (error) {
		if ((error as { code?: string }).code !== "name-taken") throw error;
		// Searching leaves out the one who asks; the first of the names is found by a stranger to all.
		const found = await chat.people.find(me ?? { id: lobbyId, name: "" }, { text: name });
		const person = found.find((each) => each.name === name);
		if (!person) throw new Error(`the name ${name} is taken by somebody whose name only looks like it`);
		return person;
	}
}
