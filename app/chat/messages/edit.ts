import { refuse } from "../../contract/refusals.ts";
import type { Sql } from "../../storage/sql.ts";
import type { Standing } from "../members/index.ts";
import type { Ports } from "../ports.ts";
import { append, type Change, lockRoom, logKind, repeated } from "../room-log/index.ts";
import { markup } from "./markup.ts";

/** The message if it is mine and stands; refuses otherwise. */
async function ownMessage(sql: Sql, here: Standing, seq: number): Promise<{ body: string }> {
	const [row] = await sql.query<{ author_id: string; body: string; deleted_at: Date | null }>(
		"message-own",
		"select author_id, body, deleted_at from room_log where room_id = $1 and seq = $2 and kind = 0",
		[here.roomId, seq],
	);
	if (!row) throw refuse("message-not-found");
	if (row.author_id !== here.me.id) throw refuse("not-yours");
	if (row.deleted_at) throw refuse("deleted");
	return row;
}

/**
 * Takes the words out of the edits of a message so far. Of one that is deleted the hashes go too, but for 16 bits: they tell most
 * other texts under its key from its own, and as many texts as there are in a library share them.
 */
async function emptyEdits(sql: Sql, here: Standing, seq: number, isDeleted: boolean): Promise<void> {
	await sql.query(
		"message-empty-edits",
		`update room_log set body = '', content = case when $3 then content & 65535 else content end
     where room_id = $1 and kind = 1 and target_seq = $2 and ($3 or body <> '')`,
		[here.roomId, seq, isDeleted],
	);
}

/** Changes the text of my message and marks it edited. A retry with the same clientId changes nothing twice. */
export async function edit(ports: Ports, here: Standing, input: { clientId: string; seq: number; body: string }): Promise<{ seq: number }> {
	const { roomId, me } = here;
	const change: Change = {
		roomId,
		kind: logKind.edit,
		authorId: me.id,
		clientKey: input.clientId,
		targetSeq: input.seq,
		body: input.body,
	};
	const done = await ports.sql.transaction(async (sql) => {
		await lockRoom(sql, roomId);
		const before = await repeated(sql, change);
		if (before !== null) return { seq: before, createdAt: null };
		await ownMessage(sql, here, input.seq);
		// Nobody is shown older versions, so none is kept: who catches up on an earlier edit has the later one coming.
		await emptyEdits(sql, here, input.seq, false);
		const entry = await append(sql, change);
		// now() is the transaction's time: the row and the log entry carry the same moment.
		await sql.query("message-edit", "update room_log set body = $3, edited_at = now() where room_id = $1 and seq = $2", [
			roomId,
			input.seq,
			input.body,
		]);
		return entry;
	});
	if (done.createdAt !== null)
		ports.publish({
			to: { roomId },
			fact: {
				kind: "message-edited",
				roomId,
				seq: done.seq,
				target: input.seq,
				body: input.body,
				html: markup(input.body),
				editedAt: done.createdAt,
			},
		});
	return { seq: done.seq };
}

/** Deletes my message: it keeps its place and number and loses its text, in the message and in every earlier edit of it. */
export async function remove(ports: Ports, here: Standing, input: { clientId: string; seq: number }): Promise<{ seq: number }> {
	const { roomId, me } = here;
	const change: Change = { roomId, kind: logKind.delete, authorId: me.id, clientKey: input.clientId, targetSeq: input.seq };
	const done = await ports.sql.transaction(async (sql) => {
		await lockRoom(sql, roomId);
		const before = await repeated(sql, change);
		if (before !== null) return { seq: before, createdAt: null };
		await ownMessage(sql, here, input.seq);
		const entry = await append(sql, change);
		await sql.query(
			"message-delete",
			"update room_log set body = '', content = content & 65535, deleted_at = now() where room_id = $1 and seq = $2",
			[roomId, input.seq],
		);
		await emptyEdits(sql, here, input.seq, true);
		return entry;
	});
	if (done.createdAt !== null)
		ports.publish({
			to: { roomId },
			fact: { kind: "message-deleted", roomId, seq: done.seq, target: input.seq, deletedAt: done.createdAt },
		});
	return { seq: done.seq };
}
