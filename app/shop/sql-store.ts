import type { Cart, Item, ShelvedItem } from "../contract/orders.ts";
import type { Sql } from "../storage/sql.ts";

type ItemRow = { id: string; name: string; price: number | null; currency: string | null; present: boolean };
type ShelvedRow = ItemRow & { tp: string | null };
type CartRow = { cart: Cart; digest: string };

const columns = "id, name, price, currency, present";

/** The shop's store in PostgreSQL (the port is lambdas/shop/store.ts, which says what each of these does). */
export function openSqlStore(sql: Sql) {
	async function stands(id: string): Promise<CartRow | null> {
		const [row] = await sql.query<CartRow>("cart-one", "select cart, digest from shop_cart where id = $1", [id]);
		return row ?? null;
	}

	return {
		items: (after: string | null, limit: number): Promise<Item[]> =>
			sql.query<ItemRow>("item-page", `select ${columns} from shop_item where present and id > $1 order by id limit $2`, [
				after ?? "",
				limit,
			]),
		async find(ids: readonly string[]): Promise<ShelvedItem[]> {
			const rows = await sql.query<ShelvedRow>("item-find", `select ${columns}, tp from shop_item where id = any($1::text[])`, [ids]);
			return rows.map(({ tp, ...item }) => (tp === null ? item : { ...item, tp }));
		},
		async put(items: readonly ShelvedItem[]): Promise<void> {
			// One statement may not meet one row twice; the later mention stands.
			const once = [...new Map(items.map((item) => [item.id, item])).values()];
			await sql.query(
				"item-put",
				`insert into shop_item (${columns}, tp, updated_at)
         select t.*, now() from unnest($1::text[], $2::text[], $3::bigint[], $4::text[], $5::boolean[], $6::text[]) t
         on conflict (id) do update set name = excluded.name, price = excluded.price, currency = excluded.currency,
           present = excluded.present, tp = excluded.tp, updated_at = now()`,
				[
					once.map((item) => item.id),
					once.map((item) => item.name),
					once.map((item) => item.price),
					once.map((item) => item.currency),
					once.map((item) => item.present),
					once.map((item) => item.tp ?? null),
				],
			);
		},
		async create(cart: Cart, digest: string): Promise<{ cart: Cart; digest: string; isNew: boolean }> {
			const made = await sql.query(
				"cart-create",
				`insert into shop_cart (id, room_id, cart, version, digest, created_at, waiting)
         values ($1, $2, $3, $4, $5, $6, $7) on conflict (id) do nothing returning id`,
				[cart.id, cart.room, JSON.stringify(cart), cart.version, digest, cart.createdAt, cart.room !== null],
			);
			if (made.length > 0) return { cart, digest, isNew: true };
			const found = await stands(cart.id);
			if (!found) throw new Error("a cart that stands is gone");
			return { ...found, isNew: false };
		},
		async cart(id: string): Promise<Cart | null> {
			return (await stands(id))?.cart ?? null;
		},
		stands,
		async replace(cart: Cart): Promise<boolean> {
			const done = await sql.query(
				"cart-replace",
				`update shop_cart set cart = $2, version = $3, waiting = room_id is not null
         where id = $1 and version = $3::integer - 1 returning id`,
				[cart.id, JSON.stringify(cart), cart.version],
			);
			return done.length > 0;
		},
		async waiting(limit: number): Promise<Cart[]> {
			const rows = await sql.query<CartRow>(
				"cart-waiting",
				"select cart, digest from shop_cart where waiting order by created_at, id limit $1",
				[limit],
			);
			return rows.map((row) => row.cart);
		},
		async shown(id: string, version: number): Promise<void> {
			await sql.query("cart-shown", "update shop_cart set waiting = false where id = $1 and version <= $2 and waiting", [id, version]);
		},
		async ofRoom(roomId: string, before: Cart | null, limit: number): Promise<Cart[]> {
			const rows = await sql.query<CartRow>(
				"cart-of-room",
				`select cart, digest from shop_cart where room_id = $1 and (created_at, id) < ($2::bigint, $3::uuid)
         order by created_at desc, id desc limit $4`,
				[roomId, before?.createdAt ?? Number.MAX_SAFE_INTEGER, before?.id ?? "ffffffff-ffff-ffff-ffff-ffffffffffff", limit],
			);
			return rows.map((row) => row.cart);
		},
	};
}
