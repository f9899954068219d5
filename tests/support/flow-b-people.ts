import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { lobbyId } from "../../app/contract/fixed.ts";
import type { MyRoom, Person } from "../../app/contract/shapes.ts";
import { closeBrowser, cookieFor, type NewPerson, newPerson, openBrowser, type PersonOptions } from "./browser.ts";
import { type TestCharla, testCharla } from "./charla.ts";
import { say } from "./chat.ts";

export type Visitor = NewPerson & { me: Person };

export type VisitOptions = Partial<PersonOptions> & {
	/** Somebody who exists already; else one is made under `name`. */
	me?: Person;
	/** Where the visit begins; null: nowhere, what is open is the first screen as a stranger sees it. */
	path?: string | null;
};

export type Stage = { charla: TestCharla; close(): Promise<void> };

/** A Charla with pages for a whole file, and a browser that stays between its tests, however long nobody has a page open. */
export async function openStage(): Promise<Stage> {
	const charla = await testCharla({ pages: true });
	const browser = await openBrowser();
	const kept = await browser.newContext();
	return {
		charla,
		async close() {
			await kept.close();
			await closeBrowser();
			await charla[Symbol.asyncDispose]();
		},
	};
}

let count = 0;

/** A name nobody in this process has had. */
export function freshName(base = "Guest"): string {
	return `${base} ${++count}`;
}

/** Somebody with a session and a browser of their own, at a page. */
export async function visit(charla: TestCharla, options: VisitOptions = {}): Promise<Visitor> {
	const { me: known, path = `/rooms/${lobbyId}`, name, ...others } = options;
	const me = known ?? (await charla.chat.people.enter({ name: name ?? freshName() }));
	const cookie = cookieFor(await charla.session(me));
	const signedIn = path === null ? {} : { at: path, storageState: { cookies: [cookie], origins: [] } };
	const person = await newPerson(charla.url, { ...others, ...signedIn, name: me.name, enter: false });
	if (path === null) await person.context.addCookies([cookie]);
	return Object.assign(person, { me });
}

/** A room of its own for one test, with its owner and those brought in. */
export async function roomWith(
	charla: TestCharla,
	owner: Person,
	others: Person[] = [],
	more: { name?: string; topic?: string; kind?: "public" | "private" } = {},
): Promise<MyRoom> {
	const { name = freshName("Room"), topic = "", kind = "public" } = more;
	const room = await charla.chat.rooms.create(owner, { name, topic, kind });
	for (const other of others) await charla.chat.rooms.invite(owner, { roomId: room.id, name: other.name });
	return room;
}

/** Says several things, one after another; gives their places in the log. */
export async function sayAll(charla: TestCharla, me: Person, roomId: string, bodies: readonly string[]): Promise<number[]> {
	const seqs: number[] = [];
	for (const body of bodies) seqs.push(await say(charla.chat, me, roomId, body));
	return seqs;
}

/** Everything in the room so far counts as read by them. */
export async function hasReadAll(charla: TestCharla, me: Person, roomId: string): Promise<void> {
	const { room } = await charla.chat.rooms.open(me, { roomId });
	await charla.chat.rooms.pointers(me, { roomId, read: room.lastSeq, displayed: room.lastSeq, delivered: room.lastSeq });
}

export type Past = { author: Person; body: string; at: number };

/**
 * Puts messages into a room as if they had been written at their own times (`at`, ms since 1970): thousands in one
 * statement. Nobody may have the room open meanwhile, since nothing is announced. Gives the place of the first.
 */
export async function writePast(charla: TestCharla, roomId: string, past: readonly Past[]): Promise<number> {
	return charla.storage.sql.transaction(async (sql) => {
		const [head] = await sql.query<{ last_seq: number; last_msg: number }>(
			"",
			"update room set last_seq = last_seq + $2, last_msg = last_msg + $2 where id = $1 returning last_seq, last_msg",
			[roomId, past.length],
		);
		assert.ok(head, "no such room");
		const first = { seq: head.last_seq - past.length, no: head.last_msg - past.length };
		await sql.query(
			"",
			`insert into room_log (room_id, seq, kind, msg_no, author_id, client_key, body, created_at)
			 select $1, $2::bigint + n, 0, $3::bigint + n, author, gen_random_uuid(), body, to_timestamp(at / 1000.0)
			 from unnest($4::uuid[], $5::text[], $6::float8[]) with ordinality as given (author, body, at, n)`,
			[roomId, first.seq, first.no, past.map((one) => one.author.id), past.map((one) => one.body), past.map((one) => one.at)],
		);
		return first.seq + 1;
	});
}

/** Repeats a check until it holds; after `within` ms it fails as the check does. */
export async function eventually<T>(check: () => Promise<T> | T, within = 30_000): Promise<T> {
	const end = Date.now() + within;
	for (;;) {
		try {
			return await check();
		} catch (error) {
			if (Date.now() > end) throw error;
			await sleep(40);
		}
	}
}

/** Nothing went wrong in their pages that the test did not ask for. */
export function noProblems(...people: NewPerson[]): void {
	for (const person of people) assert.deepEqual(person.problems, [], `problems in the browser of ${person.name}`);
}
