import { lobbyId } from "../../contract/fixed.ts";
import { refuse } from "../../contract/refusals.ts";
import type { Standing } from "../members/index.ts";
import type { Ports } from "../ports.ts";
import { append, lockRoom, logKind } from "../room-log/index.ts";

/** Changes a room's name or topic (owners only); what is left out stays. Nothing happens when nothing differs. */
export async function change(ports: Ports, here: Standing, input: { name?: string; topic?: string }): Promise<void> {
	const { roomId, me } = here;
	if (here.role !== "owner" || here.kind === "direct" || roomId === lobbyId) throw refuse("not-owner");
	const done = await ports.sql.transaction(async (sql) => {
		await lockRoom(sql, roomId);
		const [was] = await sql.query<{ name: string; topic: string }>("room-words", "select name, topic from room where id = $1", [roomId]);
		if (!was) throw refuse("not-found");
		const now = { name: input.name ?? was.name, topic: input.topic ?? was.topic };
		if (now.name === was.name && now.topic === was.topic) return null;
		await sql.query("room-change", "update room set name = $2, topic = $3 where id = $1", [roomId, now.name, now.topic]);
		return { ...now, ...(await append(sql, { roomId, kind: logKind.change, authorId: me.id, clientKey: ports.ids(), meta: now })) };
	});
	if (done)
		ports.publish({ to: { roomId }, fact: { kind: "room-changed", roomId, seq: done.seq, by: me, name: done.name, topic: done.topic } });
}
