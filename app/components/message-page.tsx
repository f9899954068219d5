import { Form, Link } from "@remix-run/react";
import type { Message, MyRoom } from "../contract/shapes.ts";
import { useWords } from "../words/use-words.tsx";
import { Icon } from "./icons.tsx";
import { MessageBody } from "./message-body.tsx";
import { type RefusalShown, Refused } from "./refused.tsx";

type Props = {
	room: MyRoom;
	message: Message;
	deed: "reply" | "edit" | "delete";
	/** Where the message stands. */
	back: string;
	/** Makes what is sent the same change, however often it is. */
	clientId: string;
	refusal: RefusalShown | null;
	/** It cannot be done at all: what was typed can still be taken elsewhere. */
	isClosed: boolean;
	/** What a refused form held; null where none was sent. */
	typed: string | null;
};

/** A message with the form that answers, changes or deletes it. */
export function MessagePage({ room, message, deed, back, clientId, refusal, isClosed, typed }: Props) {
	const { t } = useWords();
	const title = { reply: "composer.replying", edit: "message.editLabel", delete: "message.deleteTitle" } as const;
	const go = { reply: "composer.send", edit: "message.editSave", delete: "message.deleteGo" } as const;
	const stay = { reply: "composer.cancelReply", edit: "message.editCancel", delete: "message.deleteKeep" } as const;
	return (
		<div className="pages">
			<header className="pages-head">
				<Link className="icon-button" to={back} aria-label={t("pages.live")}>
					<Icon name="back" />
				</Link>
				<div>
					<h1>
						<bdi>{room.name}</bdi>
					</h1>
				</div>
			</header>
			<main className="leaf message-page">
				<h2>{t(title[deed], { name: message.author.name })}</h2>
				{deed !== "edit" && message.deletedAt === null && (
					<blockquote>
						<MessageBody body={message.body} html={message.html} />
					</blockquote>
				)}
				<Refused refusal={refusal} id="message-refused" />
				<Form method="post" className="form">
					<input type="hidden" name="clientId" value={clientId} />
					{deed === "delete" && !isClosed && <p>{t("message.deleteNote")}</p>}
					{deed !== "delete" && (!isClosed || typed) && (
						<textarea
							className="field"
							name="body"
							rows={6}
							dir="auto"
							required
							defaultValue={typed ?? (deed === "edit" ? message.body : "")}
							aria-label={t(deed === "edit" ? "message.editLabel" : "composer.label", { name: room.name })}
							aria-invalid={refusal ? true : undefined}
							aria-describedby={refusal ? "message-refused" : undefined}
						/>
					)}
					<p className="dialog-ways">
						<Link className="button button-quiet" to={back}>
							{t(isClosed ? "pages.live" : stay[deed])}
						</Link>
						{!isClosed && (
							<button type="submit" className={deed === "delete" ? "button button-grave" : "button"}>
								{t(go[deed])}
							</button>
						)}
					</p>
				</Form>
			</main>
		</div>
	);
}
