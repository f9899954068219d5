import { Link } from "@remix-run/react";
import type { Cart } from "../contract/orders.ts";
import type { MyRoom } from "../contract/shapes.ts";
import { useWords } from "../words/use-words.tsx";
import { decides } from "./decides.ts";
import { Icon } from "./icons.tsx";
import { OrderCard } from "./order-card.tsx";
import { type RefusalShown, Refused } from "./refused.tsx";

/** Every order of a room, newest first, with what happened to each: reads without JavaScript, prints, and goes into a table. */
export function OrdersView(props: {
	room: MyRoom;
	carts: Cart[];
	older: string | null;
	me: string;
	isAdmin: boolean;
	refusal: RefusalShown | null;
}) {
	const { room, carts, older, me, isAdmin, refusal } = props;
	const { t } = useWords();
	return (
		<div className="pages">
			<header className="pages-head">
				<Link className="icon-button" to={`/rooms/${room.id}`} aria-label={t("pages.live")}>
					<Icon name="back" />
				</Link>
				<div>
					<h1>{t("orders.title", { name: room.name })}</h1>
					<p className="quiet">{t("orders.note")}</p>
				</div>
				{carts.length > 0 && (
					<a className="button button-small button-quiet" href={`/rooms/${room.id}/orders.csv`} download>
						{t("orders.csv")}
					</a>
				)}
			</header>
			<main>
				<Refused refusal={refusal} />
				{carts.length === 0 && <p className="quiet">{t("orders.empty")}</p>}
				<ol className="orders">
					{carts.map((cart) => (
						<li key={cart.id}>
							<OrderCard cart={cart} roomId={room.id} me={me} mayDecide={decides(room, isAdmin, cart, me)} seq={null} />
						</li>
					))}
				</ol>
			</main>
			{older !== null && (
				<nav className="pages-nav" aria-label={t("pages.nav")}>
					<Link className="pages-way" to={`/rooms/${room.id}/orders?before=${older}`} rel="next">
						{t("orders.older")}
					</Link>
				</nav>
			)}
		</div>
	);
}
