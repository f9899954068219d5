import type { Auth } from "../../app/auth/index.server.ts";
import { uuidv7 } from "../../app/chat/index.server.ts";
import type { Sql } from "../../app/storage/index.server.ts";
import type { Offered, Wanted } from "./parent.ts";

/** Rooms with members who are signed in, put in by SQL: entering by the form is rate limited, and another bench. */
export async function makeRooms(sql: Sql, auth: Pick<Auth, "signIn">, wanted: Wanted): Promise<Offered[]> {
	const rooms = Array.from({ length: wanted.rooms }, () => uuidv7());
	const people = rooms.flatMap((roomId) => Array.from({ length: wanted.members }, () => ({ id: uuidv7(), roomId })));
	const [ids, roomIds] = [people.map((person) => person.id), people.map((person) => person.roomId)];
	await sql.query("", "insert into room (id, kind, name) select id, 0, 'Bench' from unnest($1::uuid[]) t(id)", [rooms]);
	await sql.query(
		"",
		`insert into app_user (id, skeleton, display_name)
     select id, 'bench' || id, 'Bench ' || n from unnest($1::uuid[]) with ordinality t(id, n)`,
		[ids],
	);
	await sql.query("", "insert into member (room_id, user_id) select * from unnest($1::uuid[], $2::uuid[])", [roomIds, ids]);
	await sql.query("", "insert into user_room (user_id, room_id) select * from unnest($1::uuid[], $2::uuid[])", [ids, roomIds]);
	const cookies: string[] = [];
	for (let i = 0; i < people.length; i += 20) {
		const some = people.slice(i, i + 20).map(async ({ id }, k) => {
			const [set] = await auth.signIn({ id, name: `Bench ${i + k + 1}` });
			return (set as string).split(";")[0] as string;
		});
		cookies.push(...(await Promise.all(some)));
	}
	return rooms.map((id, i) => ({ id, cookies: cookies.slice(i * wanted.members, (i + 1) * wanted.members) }));
}
