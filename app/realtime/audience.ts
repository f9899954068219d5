/** Names of Socket.IO rooms: where a room's facts and a person's own signals go. */
export const audienceOf = {
	room: (roomId: string) => `room:${roomId}`,
	person: (userId: string) => `person:${userId}`,
	session: (tokenHash: Buffer) => `session:${tokenHash.toString("base64url")}`,
};
