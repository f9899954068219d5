/** The room that exists from the start and that everybody is in. */
export const lobbyId = "01900000-0000-7000-8000-000000000001";
/** Who shows orders in rooms (db/migrations/0020_orders.sql). */
export const shopBotId = "01900000-0000-7000-8000-0000000000b1";
/** The built-in bot. */
export const botId = "01900000-0000-7000-8000-0000000000b0";
/** The room of administrators, where the machinery reports (db/migrations/0031_imports.sql), and who speaks there. */
export const opsRoomId = "01900000-0000-7000-8000-000000000002";
export const deskBotId = "01900000-0000-7000-8000-0000000000b2";
