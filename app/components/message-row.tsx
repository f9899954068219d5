import { Link } from "@remix-run/react";
import { type ComponentProps, type FunctionComponent, lazy, memo, type ReactElement, Suspense } from "react";
import { deskBotId } from "../contract/fixed.ts";
import type { Verdict } from "../contract/orders.ts";
import type { RefusalCode, RefusalDetails } from "../contract/refusals.ts";
import type { Pending } from "../live/live-state.ts";
import { useWords } from "../words/use-words.tsx";
import { Avatar } from "./avatar.tsx";
import { editDraft } from "./draft-names.ts";
import { Hilo } from "./hilo.tsx";
import { hueOf } from "./hue.ts";
import { Icon } from "./icons.tsx";
import { late } from "./late.tsx";
import type { Line } from "./lines.ts";
import { MessageBody } from "./message-body.tsx";
import { MessageEditor } from "./message-editor.tsx";
import type { MessageDoing } from "./message-menu.tsx";
import { MessageWays } from "./message-ways.tsx";
import { Note, PendingNote } from "./pending-note.tsx";
import { QuoteLine } from "./quote-line.tsx";

export type RowDoing = MessageDoing & {
	openMenu(line: Line): void;
	closeMenu(refocus: boolean): void;
	save(line: Line, body: string): Promise<{ code: RefusalCode; details: RefusalDetails } | null>;
	doneEditing(): void;
	/** Takes a message that was not sent back to be written anew. */
	rewrite(pending: Pending): void;
	/** Drops a change that was begun and not saved. */
	dropEdit(line: Line): void;
	/** Decides about an order; null when done, else the refusal to show. */
	decide(cartId: string, verdict: Verdict): Promise<{ code: RefusalCode; details: RefusalDetails } | null>;
	/** Goes to a message on screen; false when it is not here. */
	jump(seq: number): boolean;
};

type Props = {
	line: Line;
	roomId: string;
	isMine: boolean;
	state: "plain" | "editing" | "menu";
	isTarget: boolean;
	/** A change of it was begun and not saved. */
	hasEdit: boolean;
	/** Of mine: its state stands beside it in words, not only under a pointer. */
	saysState: boolean;
	/** Of mine: how far it has come. Numbers, so that a row renders again only when its own change. */
	delivered: number;
	seen: number;
	total: number;
	/** Arrived while the page was open: the bot raises its brow once. */
	isLive: boolean;
	me: string;
	/** Whether I decide about the order shown here. */
	mayDecide: boolean;
	doing: RowDoing;
};

const MessageMenu = late(() => import("./message-menu.tsx").then((module) => module.MessageMenu), { atFirstMove: true });

// Most rooms have no orders, so their script comes with the first one; until then, and if it never comes, stands what it says in words.
type CardProps = ComponentProps<typeof import("./order-card.tsx").OrderCard> & { inWords: ReactElement };
const OrderCard = lazy<FunctionComponent<CardProps>>(() =>
	import("./order-card.tsx").then(
		(module) => ({ default: module.OrderCard }),
		() => ({ default: ({ inWords }: CardProps) => inWords }),
	),
);

// See the timeline: what holds a day's messages stands between the list and its items.
const item = { role: "listitem" } as const;

/** One message, whoever wrote it and however far it has come. */
export const MessageRow = memo(function MessageRow(props: Props) {
	const { line, roomId, isMine, state, isTarget, hasEdit, delivered, seen, total, isLive, me, mayDecide, saysState, doing } = props;
	const { t, edited } = useWords();
	const { author, pending, seq } = line;
	const reach = isMine && seq !== null ? { delivered, seen, total } : null;
	const classes = [
		"line",
		line.isFirst ? "is-first" : "",
		isMine ? "is-mine" : "",
		saysState ? "says-state" : "",
		isTarget ? "is-target" : "",
		pending ? `is-${pending.state}` : "",
		state === "menu" ? "has-menu" : "",
		author.bot && isLive ? "is-fresh" : "",
	];
	const inWords = (
		<div className="line-text">
			<MessageBody body={line.body} html={line.html} />
		</div>
	);
	const canAct = seq !== null && state !== "editing";
	return (
		<div
			className={classes.filter(Boolean).join(" ")}
			{...item}
			tabIndex={-1}
			id={seq === null ? undefined : `m${seq}`}
			data-seq={seq ?? undefined}
			data-key={line.key}
		>
			<span className="line-side">{line.isFirst ? <Avatar person={author} /> : <Moment line={line} roomId={roomId} isSide />}</span>
			{line.isFirst && (
				<p className="line-head">
					<strong className={author.bot ? "name" : `name ${hueOf(author.id)}`}>
						<bdi>{author.name}</bdi>
					</strong>
					{author.bot && <span className="tag">{t("members.bot")}</span>}
					<Moment line={line} roomId={roomId} />
				</p>
			)}
			{isMine && !line.isDeleted && <Hilo reach={reach} pending={pending} />}
			<div className="line-main">
				{!line.isFirst && (
					<span className="hidden" data-uncopied>
						<bdi>{author.name}</bdi>:{" "}
					</span>
				)}
				{line.replyTo && !line.isDeleted && <QuoteLine quote={line.replyTo} roomId={roomId} onJump={doing.jump} />}
				{line.isDeleted ? (
					<p className="tombstone">{t("message.deleted")}</p>
				) : line.card ? (
					<Suspense fallback={inWords}>
						<OrderCard {...{ roomId, me, mayDecide, seq, inWords }} cart={line.card} onDecide={doing.decide} />
					</Suspense>
				) : (
					<>
						{state === "editing" && (
							<MessageEditor
								body={line.body}
								draft={editDraft(roomId, seq ?? 0)}
								onSave={(body) => doing.save(line, body)}
								onDone={doing.doneEditing}
							/>
						)}
						{/* While it is being edited, paper shows what it says until then. */}
						<div className={state === "editing" ? "line-text only-print" : "line-text"}>
							<MessageBody body={line.body} html={line.html} />
							{line.editedAt !== null && (
								<span className="mark" suppressHydrationWarning title={edited(line.editedAt, Date.now())}>
									{t("message.edited")}
								</span>
							)}
						</div>
					</>
				)}
				{/* The report's own id, with which its key ends, is the file's. */}
				{author.id === deskBotId && !line.isDeleted && (
					<Link className="button button-small" to={`/ops/imports/${line.key.slice(-36)}`}>
						{t("import.open")}
					</Link>
				)}
				{hasEdit && !line.isDeleted && state !== "editing" && (
					<Note
						words={t("message.editKept")}
						way={t("message.editGoOn")}
						onWay={() => doing.edit(line)}
						onDiscard={() => doing.dropEdit(line)}
					/>
				)}
				{pending && <PendingNote pending={pending} onEdit={doing.rewrite} />}
				{/* In the server's half of the build alone: a browser that runs this shows nothing of it. */}
				<noscript>
					{import.meta.env.SSR && seq !== null && !line.isDeleted && <MessageWays roomId={roomId} seq={seq} isMine={isMine} />}
				</noscript>
			</div>
			{canAct && (
				<div className="line-actions needs-js">
					{!line.isDeleted && (
						<button
							type="button"
							className="icon-button line-reply"
							tabIndex={-1}
							aria-label={t("message.reply")}
							title={t("message.reply")}
							onClick={() => doing.reply(line)}
						>
							<Icon name="reply" />
						</button>
					)}
					<button
						type="button"
						className="icon-button"
						tabIndex={-1}
						aria-label={t("message.more")}
						title={t("message.more")}
						aria-haspopup="menu"
						aria-expanded={state === "menu"}
						onClick={() => (state === "menu" ? doing.closeMenu(true) : doing.openMenu(line))}
					>
						<Icon name="more" />
					</button>
				</div>
			)}
			{state === "menu" && (
				<MessageMenu line={line} roomId={roomId} isMine={isMine} reach={reach} doing={doing} onClose={doing.closeMenu} />
			)}
		</div>
	);
});

/** When it was said, as the lasting link to it. */
function Moment({ line, roomId, isSide = false }: { line: Line; roomId: string; isSide?: boolean }) {
	const { t, time, full } = useWords();
	const when = full(line.at);
	const moment = (
		<time dateTime={new Date(line.at).toISOString()} title={when} suppressHydrationWarning>
			{time(line.at)}
		</time>
	);
	if (line.seq === null) return <span className={isSide ? "moment moment-side" : "moment"}>{moment}</span>;
	return (
		<Link
			className={isSide ? "moment moment-side" : "moment"}
			to={`/rooms/${roomId}?at=${line.seq}`}
			preventScrollReset
			aria-label={t("message.permalink", { when })}
			suppressHydrationWarning
		>
			{moment}
		</Link>
	);
}
