import type { Cart } from "../contract/orders.ts";
import type { MyRoom } from "../contract/shapes.ts";

/** Whether somebody decides about an order of this room, as the server will see it (app/chat/orders/linked.ts). */
export const decides = (room: MyRoom, isAdmin: boolean, cart: Cart, me: string): boolean =>
	room.role === "owner" || (room.kind === "direct" ? cart.user.id !== me : isAdmin);
