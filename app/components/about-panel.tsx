import { Form } from "@remix-run/react";
import { lobbyId } from "../contract/fixed.ts";
import { limits } from "../contract/limits.ts";
import type { MyRoom } from "../contract/shapes.ts";
import { useWords } from "../words/use-words.tsx";
import { Icon } from "./icons.tsx";
import { type RefusalShown, Refused } from "./refused.tsx";

/** A form of this panel that was turned down, with what it held. */
export type RefusedForm = { refusal: RefusalShown; intent: string; fields: { name: string; topic: string } };

/** What the room is for, who may be brought in, and the way out of it. */
export function AboutPanel({ room, refused }: { room: MyRoom; refused: RefusedForm | null }) {
	const { t } = useWords();
	// What is refused leads back here.
	const action = `/rooms/${room.id}?panel=about`;
	const changed = refused?.intent === "change" ? refused.fields : room;
	// Whom the server would refuse is not asked to type first.
	const canChange = room.role === "owner" && room.kind !== "direct" && room.id !== lobbyId;
	return (
		<>
			<p className="quiet kind">
				<Icon name={room.kind === "public" ? "mark" : "lock"} />
				{t(`room.kind.${room.kind}`)}
			</p>
			<Refused refusal={refused?.refusal ?? null} id="about-refused" />
			{canChange ? (
				<Form method="post" action={action} className="form">
					<div className="form-row">
						<label htmlFor="about-name">{t("about.name")}</label>
						<input
							id="about-name"
							className="field"
							name="name"
							defaultValue={changed.name}
							maxLength={limits.roomName * 2}
							required
							dir="auto"
							autoComplete="off"
						/>
					</div>
					<div className="form-row">
						<label htmlFor="about-topic">{t("about.topic")}</label>
						<textarea
							id="about-topic"
							className="field"
							name="topic"
							rows={3}
							defaultValue={changed.topic}
							maxLength={limits.topic * 2}
							placeholder={t("about.topicHint")}
							dir="auto"
						/>
					</div>
					<button type="submit" className="button" name="intent" value="change">
						{t("about.save")}
					</button>
				</Form>
			) : (
				<p dir="auto">{room.kind === "direct" ? t("room.direct") : room.topic || t("room.noTopic")}</p>
			)}
			{room.kind !== "direct" && (
				<Form method="post" action={action} className="form">
					<div className="form-row">
						<label htmlFor="about-invite">{t("about.invite")}</label>
						<div className="search">
							<input
								id="about-invite"
								className="field"
								name="name"
								placeholder={t("about.inviteName")}
								defaultValue={refused?.intent === "invite" ? refused.fields.name : ""}
								required
								dir="auto"
								autoComplete="off"
							/>
							<button type="submit" className="button button-quiet" name="intent" value="invite">
								{t("about.inviteGo")}
							</button>
						</div>
					</div>
				</Form>
			)}
			{room.kind !== "direct" && room.id !== lobbyId && (
				<Form method="post" action={action} className="form form-apart">
					<p className="quiet">{t(room.kind === "private" ? "about.leaveNotePrivate" : "about.leaveNotePublic")}</p>
					<button type="submit" className="button button-quiet is-grave" name="intent" value="leave">
						{t("about.leave")}
					</button>
				</Form>
			)}
		</>
	);
}
