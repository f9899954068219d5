import { refuse } from "../../contract/refusals.ts";
import type { Person, Role } from "../../contract/shapes.ts";
import type { Ports } from "../ports.ts";
import { append, findChange, lockRoom, logKind } from "../room-log/index.ts";
import { insertMember } from "./rows.ts";

/**
 * Puts a person into a room and writes it into the room's log. True when this made them a member, false when they were
 * one already. The person's own list is written first: should the process die in between, it names a room the person is
 * not in, which reading ignores; the other way round would hide a room from its member. Under a `clientKey` that happens once:
 * who left since is not let in by it again.
 */
export async function admit(ports: Ports, person: Person, roomId: string, role: Role = "member", clientKey?: string): Promise<boolean> {
	await ports.sql.query(
		"user-room-insert",
		"insert into user_room (user_id, room_id) values ($1, $2) on conflict (user_id, room_id) do nothing",
		[person.id, roomId],
	);
	const joined = await ports.sql.transaction(async (sql) => {
		const head = await lockRoom(sql, roomId);
		if (!head) throw refuse("not-found");
		if (clientKey && (await findChange(sql, roomId, person.id, clientKey)) !== null) return null;
		if (!(await insertMember(sql, roomId, person.id, role, head))) return null;
		const key = clientKey ?? ports.ids();
		return append(sql, { roomId, kind: logKind.join, authorId: person.id, clientKey: key, meta: { role } });
	});
	if (joined) ports.publish({ to: { roomId }, fact: { kind: "member-joined", roomId, seq: joined.seq, person, role } });
	return joined !== null;
}
