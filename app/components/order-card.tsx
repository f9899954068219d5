import { Form } from "@remix-run/react";
import { useId, useState } from "react";
import { type Cart, type CartLine, money, totalOf, type Verdict, verdicts } from "../contract/orders.ts";
import { useWords } from "../words/use-words.tsx";
import { type RefusalShown, Refused } from "./refused.tsx";

type Props = {
	cart: Cart;
	roomId: string;
	/** The reader: who ordered may withdraw. */
	me: string;
	/** Whether the reader decides about orders of this room. */
	mayDecide: boolean;
	/** Message it stands in, to come back to; null on a page of its own. */
	seq: number | null;
	/** Decides over the socket; without it, as without JavaScript, the form does. */
	onDecide?: ((cartId: string, verdict: Verdict) => Promise<RefusalShown | null>) | undefined;
};

/** An order: what, how much, what became of it, and the buttons of whoever may decide. */
export function OrderCard({ cart, roomId, me, mayDecide, seq, onDecide }: Props) {
	const { t, full, language } = useWords();
	const [refusal, setRefusal] = useState<RefusalShown | null>(null);
	const [isBusy, setBusy] = useState(false);
	const titleId = useId();
	const { sums, isWhole } = totalOf(cart.lines);
	const ways = cart.state !== "open" ? [] : verdicts.filter((verdict) => (verdict === "withdrawn" ? cart.user.id === me : mayDecide));

	async function decide(verdict: Verdict): Promise<void> {
		if (!onDecide || isBusy) return;
		setBusy(true);
		setRefusal(null);
		const outcome = await onDecide(cart.id, verdict);
		setBusy(false);
		setRefusal(outcome);
	}

	return (
		<article className={`order is-${cart.state}`} aria-labelledby={titleId}>
			<header className="order-head">
				<p className="order-title" id={titleId}>
					{t("order.by", { name: cart.user.name })}
				</p>
				<span className="order-state" aria-live="polite">
					{t(`order.state.${cart.state}`)}
				</span>
			</header>
			<ul className="order-lines">
				{cart.lines.map((line) => (
					<OrderLine key={line.id} line={line} />
				))}
			</ul>
			{sums.length > 0 && (
				<p className="order-total">
					<span>{t(isWhole ? "order.total" : "order.totalKnown")}</span>
					<strong suppressHydrationWarning>{sums.map((sum) => money(sum.amount, sum.currency, language)).join(" + ")}</strong>
				</p>
			)}
			{ways.length > 0 && (
				<Form
					method="post"
					action={`/rooms/${roomId}`}
					className="order-ways"
					onSubmit={(event) => {
						if (!onDecide) return;
						event.preventDefault();
						const { submitter } = event.nativeEvent as SubmitEvent;
						void decide((submitter as HTMLButtonElement | null)?.value as Verdict);
					}}
				>
					<input type="hidden" name="intent" value="decide" />
					<input type="hidden" name="cartId" value={cart.id} />
					{seq === null ? <input type="hidden" name="back" value="orders" /> : <input type="hidden" name="seq" value={seq} />}
					{ways.map((verdict) => (
						<button
							key={verdict}
							type="submit"
							name="verdict"
							value={verdict}
							className={verdict === "approved" ? "button button-small" : "button button-small button-quiet"}
							aria-describedby={titleId}
							aria-disabled={isBusy}
						>
							{t(`order.do.${verdict}`)}
						</button>
					))}
				</Form>
			)}
			<Refused refusal={refusal} />
			<details className="order-history">
				<summary>{t("order.history")}</summary>
				<ol>
					{cart.history.map((event) => (
						<li key={`${event.at} ${event.what}`}>
							{t(`order.did.${event.what}`, { name: event.by.name })}{" "}
							<time dateTime={new Date(event.at).toISOString()} suppressHydrationWarning>
								{full(event.at)}
							</time>
						</li>
					))}
				</ol>
				<p className="quiet order-id">
					<code>{cart.id}</code>
					{cart.via === "api" && ` · ${t("order.viaApi")}`}
				</p>
			</details>
		</article>
	);
}

function OrderLine({ line }: { line: CartLine }) {
	const { language } = useWords();
	return (
		<li>
			<span className="order-quantity">{line.quantity} ×</span>
			<span className="order-name">
				<bdi>{line.name}</bdi> <code className="quiet">{line.id}</code>
			</span>
			{line.price !== null && line.currency !== null && (
				<span className="order-price" suppressHydrationWarning>
					{money(line.price * line.quantity, line.currency, language)}
				</span>
			)}
		</li>
	);
}
