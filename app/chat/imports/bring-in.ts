import { deskBotId } from "../../contract/fixed.ts";
import type {
	ImportedItem,
	ImportedMessage,
	ImportedPerson,
	ImportedRecord,
	ImportedRoom,
	ImportHeader,
	RecordFault,
} from "../../contract/imports.ts";
import { asRefusal } from "../../contract/refusals.ts";
import type { Person } from "../../contract/shapes.ts";
import type { Sql } from "../../storage/sql.ts";
import { uuidOf } from "../ids.ts";
import { admit } from "../members/index.ts";
import { cleanName, insertPerson, type PersonRow, skeletonOf, toPerson } from "../people/index.ts";
import type { Ports } from "../ports.ts";
import { change, insertRoom } from "../rooms/index.ts";
import type { Catalogue } from "./ports.ts";

/** What a record would change, or why it cannot. */
export type Verdict = "added" | "changed" | "unchanged" | { field: string; fault: RecordFault };

/** One kind of record: how it compares with what there is, and how it is brought in. Both may run any number of times. */
export type Bringer = {
	compare(records: readonly ImportedRecord[]): Promise<Verdict[]>;
	/** Brings in what `compare` would call added or changed; the rest is left as it is. */
	apply(records: readonly ImportedRecord[]): Promise<void>;
	/** When everything is in. */
	finish?(): Promise<void>;
};

/** `tp`: the traceparent of the import, which what it brings keeps. */
type Given = { ports: Ports; catalogue: Catalogue; header: ImportHeader; owner: Person | null; tp?: string | null };

/** Who brings in records of this file, within the transaction of `ports.sql`. */
export function openBringer(given: Given): Bringer {
	switch (given.header.kind) {
		case "catalogue":
			return items(given.catalogue, given.tp ?? null);
		case "people":
			return people(given.ports);
		case "rooms":
			return rooms(given.ports, given.owner);
		case "channel":
			return channel(given.ports, given.header.channel as string, given.owner);
	}
}

const valuesOf = <T>(records: readonly ImportedRecord[]) => records.map((record) => record.value as T);

/** What one read of the catalogue answers. */
const itemsTogether = 100;

function items(catalogue: Catalogue, tp: string | null): Bringer {
	async function compare(records: readonly ImportedRecord[]): Promise<Verdict[]> {
		const given = valuesOf<ImportedItem>(records);
		const found = new Map<string, ImportedItem>();
		for (let i = 0; i < given.length; i += itemsTogether)
			for (const item of await catalogue.find(given.slice(i, i + itemsTogether).map((each) => each.id))) found.set(item.id, item);
		return given.map((item) => {
			const was = found.get(item.id);
			if (!was) return "added";
			const isSame = (["name", "price", "currency", "present"] as const).every((key) => was[key] === item[key]);
			return isSame ? "unchanged" : "changed";
		});
	}
	return {
		compare,
		async apply(records) {
			const verdicts = await compare(records);
			const due = valuesOf<ImportedItem>(records).filter((_, i) => verdicts[i] !== "unchanged");
			if (due.length > 0) await catalogue.put(tp === null ? due : due.map((item) => ({ ...item, tp })));
		},
	};
}

/** People by how their names look, as nobody may look like somebody else. */
async function bySkeleton(sql: Sql, skeletons: readonly string[]): Promise<Map<string, Person>> {
	const rows = await sql.query<PersonRow & { skeleton: string }>(
		"import-people",
		"select id, display_name, is_bot, skeleton from app_user where skeleton = any($1::text[])",
		[skeletons],
	);
	return new Map(rows.map((row) => [row.skeleton, toPerson(row)]));
}

/** The name as it will be kept, or null when it is none. */
function nameOf(name: string): { name: string; skeleton: string } | null {
	try {
		const clean = cleanName(name);
		return { name: clean, skeleton: skeletonOf(clean) };
	} catch (error) {
		if (asRefusal(error)) return null;
		throw error;
	}
}

function people(ports: Ports): Bringer {
	async function compare(records: readonly ImportedRecord[]): Promise<Verdict[]> {
		const given = valuesOf<ImportedPerson>(records).map(({ name }) => nameOf(name));
		const found = await bySkeleton(
			ports.sql,
			given.flatMap((each) => (each ? [each.skeleton] : [])),
		);
		return given.map((each) => {
			if (!each) return { field: "name", fault: "malformed" };
			const was = found.get(each.skeleton);
			if (!was) return "added";
			return was.bot ? { field: "name", fault: "name-taken" } : "unchanged";
		});
	}
	return {
		compare,
		async apply(records) {
			for (const { name } of valuesOf<ImportedPerson>(records)) {
				const each = nameOf(name);
				if (each) await insertPerson(ports.sql, { id: ports.ids(), name: each.name }, each.skeleton);
			}
		},
	};
}

type RoomRow = { id: string; kind: number; name: string; topic: string };

function rooms(ports: Ports, owner: Person | null): Bringer {
	/** Rooms go by their name; of several of one name, the first there was. */
	async function existing(given: readonly ImportedRoom[]): Promise<Map<string, RoomRow>> {
		const rows = await ports.sql.query<RoomRow>(
			"import-rooms",
			"select id, kind, name, topic from room where kind in (0, 1) and lower(name) = any($1::text[]) order by created_at desc, id desc",
			[given.map(({ name }) => name.toLowerCase())],
		);
		return new Map(rows.map((row) => [row.name.toLowerCase(), row]));
	}
	async function missing(room: RoomRow, members: readonly string[]): Promise<Person[]> {
		const names = members.flatMap((name) => nameOf(name)?.skeleton ?? []);
		const found = [...(await bySkeleton(ports.sql, names)).values()].filter((person) => !person.bot);
		if (found.length === 0) return [];
		const rows = await ports.sql.query<{ user_id: string }>(
			"import-members",
			"select user_id from member where room_id = $1 and user_id = any($2::uuid[])",
			[room.id, found.map((person) => person.id)],
		);
		const inside = new Set(rows.map((row) => row.user_id));
		return found.filter((person) => !inside.has(person.id));
	}
	return {
		async compare(records) {
			const given = valuesOf<ImportedRoom>(records);
			const found = await existing(given);
			const verdicts: Verdict[] = [];
			for (const room of given) {
				const was = found.get(room.name.toLowerCase());
				if (!was) verdicts.push("added");
				// What was said among few is not opened to all by a file, nor the other way round.
				else if ((was.kind === 0) !== (room.kind === "public")) verdicts.push({ field: "kind", fault: "name-taken" });
				else
					verdicts.push(
						(room.topic !== "" && was.topic !== room.topic) || (await missing(was, room.members)).length > 0 ? "changed" : "unchanged",
					);
			}
			return verdicts;
		},
		async apply(records) {
			const given = valuesOf<ImportedRoom>(records);
			const found = await existing(given);
			for (const room of given) {
				const was = found.get(room.name.toLowerCase());
				if (was && (was.kind === 0) !== (room.kind === "public")) continue;
				const row = was ?? { id: ports.ids(), kind: room.kind === "public" ? 0 : 1, name: room.name, topic: room.topic };
				if (!was) {
					await insertRoom(ports.sql, { id: row.id, kind: room.kind, name: room.name, topic: room.topic });
					if (owner) await admit(ports, owner, row.id, "owner");
				} else if (room.topic !== "" && was.topic !== room.topic) await change(ports, deskIn(was.id), { topic: room.topic });
				for (const person of await missing(row, room.members)) await admit(ports, person, row.id);
			}
		},
	};
}

/** The desk acts for the administrator who said yes, in rooms that need not be theirs. */
const deskIn = (roomId: string) =>
	({ roomId, me: { id: deskBotId, name: "Charla", bot: true }, role: "owner", kind: "public" }) as unknown as Parameters<typeof change>[1];

/** Replies know what they answer up to so many messages back in a file; beyond, they stand for themselves. */
const threadsKept = 200_000;

/** Messages of another place become a private room's history, with their own times; whoever said yes owns it. */
function channel(ports: Ports, name: string, owner: Person | null): Bringer {
	const roomId = uuidOf("import-channel", name.toLowerCase());
	const seqOf = new Map<string, number>();
	const keyOf = (message: ImportedMessage) => uuidOf("import-message", name.toLowerCase(), message.ts, message.author);

	/** Those of these messages that are there already, by their key. Whoever is not known has written none. */
	async function standing(given: readonly ImportedMessage[]): Promise<Map<string, number>> {
		const skeletons = new Map(given.map((message) => [message.author, nameOf(message.author)?.skeleton ?? ""]));
		const known = await bySkeleton(ports.sql, [...skeletons.values()]);
		const asked = given.flatMap((message) => {
			const author = known.get(skeletons.get(message.author) ?? "");
			return author ? [{ author: author.id, key: keyOf(message) }] : [];
		});
		const rows = await ports.sql.query<{ client_key: string; seq: number }>(
			"import-messages",
			`select l.client_key, l.seq from unnest($2::uuid[], $3::uuid[]) t(author, key)
       join room_log l on l.room_id = $1 and l.author_id = t.author and l.client_key = t.key`,
			[roomId, asked.map(({ author }) => author), asked.map(({ key }) => key)],
		);
		return new Map(rows.map((row) => [row.client_key, row.seq]));
	}

	/** The people who wrote these; who is not here yet comes in by name. */
	async function authors(given: readonly ImportedMessage[]): Promise<(message: ImportedMessage) => string> {
		const named = new Map(given.map((message) => [message.author, nameOf(message.author)]));
		const skeletons = [...named.values()].flatMap((each) => each?.skeleton ?? []);
		let found = await bySkeleton(ports.sql, skeletons);
		const fresh = [...named.values()].filter((each) => each !== null && !found.has(each.skeleton));
		for (const each of fresh) if (each) await insertPerson(ports.sql, { id: ports.ids(), name: each.name }, each.skeleton);
		if (fresh.length > 0) found = await bySkeleton(ports.sql, skeletons);
		return (message) => found.get(named.get(message.author)?.skeleton ?? "")?.id ?? deskBotId;
	}

	return {
		async compare(records) {
			const given = valuesOf<ImportedMessage>(records);
			const there = await standing(given);
			return given.map((message) => {
				if (!nameOf(message.author)) return { field: "author", fault: "malformed" };
				return there.has(keyOf(message)) ? "unchanged" : "added";
			});
		},
		async apply(records) {
			const given = valuesOf<ImportedMessage>(records).filter((message) => nameOf(message.author));
			await insertRoom(ports.sql, { id: roomId, kind: "private", name: name.slice(0, 60), topic: "" });
			const there = await standing(given);
			for (const message of given) {
				const seq = there.get(keyOf(message));
				if (seq !== undefined && seqOf.size < threadsKept) seqOf.set(message.ts, seq);
			}
			const fresh = given.filter((message) => !there.has(keyOf(message)));
			if (fresh.length === 0) return;
			const authorOf = await authors(fresh);
			const [head] = await ports.sql.query<{ seq: number; msg: number }>(
				"import-head",
				"update room set last_seq = last_seq + $2, last_msg = last_msg + $2 where id = $1 returning last_seq - $2 seq, last_msg - $2 msg",
				[roomId, fresh.length],
			);
			if (!head) throw new Error("an imported channel without a room");
			fresh.forEach((message, i) => {
				if (seqOf.size < threadsKept) seqOf.set(message.ts, head.seq + i + 1);
			});
			await ports.sql.query(
				"import-write",
				`insert into room_log (room_id, seq, kind, msg_no, target_seq, author_id, client_key, body, created_at)
         select $1, $2::bigint + n, 0, $3::bigint + n, target, author, key, body, to_timestamp(at / 1000.0)
         from unnest($4::uuid[], $5::uuid[], $6::text[], $7::float8[], $8::bigint[]) with ordinality t(author, key, body, at, target, n)`,
				[
					roomId,
					head.seq,
					head.msg,
					fresh.map(authorOf),
					fresh.map(keyOf),
					fresh.map((message) => message.text),
					fresh.map((message) => message.at),
					fresh.map((message) => (message.thread ? (seqOf.get(message.thread) ?? null) : null)),
				],
			);
		},
		async finish() {
			// After the messages: they are history, and not unread.
			if (owner) await admit(ports, owner, roomId, "owner");
		},
	};
}
