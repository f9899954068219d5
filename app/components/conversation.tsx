import { Link, useNavigate } from "@remix-run/react";
import { useCallback, useEffect, useMemo, useRef, useState } from "react";
import type { OpenedRoom, Quote } from "../contract/shapes.ts";
import { excerpt } from "../contract/text.ts";
import { withRead } from "../contract/unread.ts";
import { useLive, useLiveState } from "../live/use-live.tsx";
import { useWords } from "../words/use-words.tsx";
import { AboutPanel, type RefusedForm } from "./about-panel.tsx";
import { Announcer } from "./announcer.tsx";
import { Composer, type ComposerHandle } from "./composer.tsx";
import { ConversationHead } from "./conversation-head.tsx";
import { readQuote, replyDraft, writeQuote } from "./draft-names.ts";
import { HelpWords } from "./help-words.tsx";
import { late } from "./late.tsx";
import { MembersPanel } from "./members-panel.tsx";
import { type RefusalShown, Refused } from "./refused.tsx";
import { SidePanel } from "./side-panel.tsx";
import { Timeline, type TimelineHandle, type TimelineView } from "./timeline.tsx";
import { inert, useMatches } from "./use-matches.ts";

const loadConnectionDialog = () => import("./connection-dialog.tsx").then((module) => module.ConnectionDialog);
const ConnectionDialog = late(loadConnectionDialog);
/** It is wanted most when nothing can be fetched: it comes by itself once the page has long been there, ms. */
const laterOn = 10_000;
const JourneyPanel = late(() => import("./journey-panel.tsx").then((module) => module.JourneyPanel));
const SloDialog = late(() => import("./slo-dialog.tsx").then((module) => module.SloDialog));

/** What can stand beside the conversation; part of the address, as `panel`. */
export const panels = ["members", "about", "help", "journey"] as const;
export type Panel = (typeof panels)[number];

type Props = {
	opened: OpenedRoom;
	clientId: string;
	/** The message a link leads to. */
	at: number | null;
	panel: Panel | null;
	/** The message whose journey is asked for. */
	travelled: number;
	refusal: RefusalShown | null;
	/** A form about the room itself that was refused. */
	refusedForm: RefusedForm | null;
	/** What a refused form held. */
	draftText?: string;
};

/** A room: as the server rendered it, and from then on as the live state follows it. */
export function Conversation({ opened, clientId, at, panel, travelled, refusal, refusedForm, draftText }: Props) {
	const { t } = useWords();
	const live = useLive();
	const navigate = useNavigate();
	const me = useLiveState((state) => state.me);
	const open = useLiveState((state) => state.open);
	const here = useLiveState((state) => state.here);
	const listed = useLiveState((state) => state.rooms[opened.room.id]);
	const roomId = opened.room.id;

	useEffect(() => live.openRoom(opened), [live, opened]);
	useEffect(() => () => live.closeRoom(), [live]);
	const isFollowed = open?.room.id === roomId;
	const wasFollowed = useRef(false);
	if (isFollowed) wasFollowed.current = true;
	const rendered = useMemo(() => asView(opened), [opened]);
	const view: TimelineView = isFollowed ? open : listed ? { ...rendered, room: withRead(rendered.room, listed) } : rendered;

	const keptReply = useLiveState((state) => state.drafts[replyDraft(roomId)] ?? "");
	const replyTo = useMemo(() => readQuote(keptReply), [keptReply]);
	const setReplyTo = (quote: Quote | null) => live.setDraft(replyDraft(roomId), writeQuote(quote));
	const [dialog, setDialog] = useState<"status" | "slo" | null>(null);
	useEffect(() => {
		const timer = setTimeout(() => void loadConnectionDialog().catch(() => undefined), laterOn);
		return () => clearTimeout(timer);
	}, []);
	const [said, setSaid] = useState("");
	// There the panel lies over the conversation.
	const isNarrow = useMatches("(max-width: 899.98px)");
	const composer = useRef<ComposerHandle>(null);
	const timeline = useRef<TimelineHandle>(null);
	const say = useCallback((words: string) => setSaid(words), []);
	useEffect(() => {
		if (!said) return;
		const timer = setTimeout(() => setSaid(""), 3000);
		return () => clearTimeout(timer);
	}, [said]);

	// Taken out of the room while it was on screen: what was said in it goes too.
	if (wasFollowed.current && !isFollowed && !listed) return <Gone />;

	const { room, members } = view;
	const faces = Object.values(members)
		.filter(({ person }) => person.id !== me.id && !person.bot)
		.slice(0, 3)
		.map(({ person }) => person);
	const closeTo = `/rooms/${roomId}`;
	const close = () => navigate(closeTo, { preventScrollReset: true });
	return (
		<div className={panel ? "conversation has-panel" : "conversation"}>
			<div className="conversation-main" {...inert(panel !== null && isNarrow)}>
				<ConversationHead
					room={room}
					members={Object.keys(members).length}
					faces={faces}
					panel={panel}
					isHere={room.with ? here[room.with.id] === true : false}
					onConnection={() => setDialog("status")}
				/>
				<Timeline
					ref={timeline}
					view={view}
					isFollowed={isFollowed}
					me={me}
					at={at}
					say={say}
					onReply={(line) => {
						if (line.seq === null) return;
						setReplyTo({ seq: line.seq, author: line.author, excerpt: excerpt(line.body) });
						composer.current?.focus();
					}}
					onJourney={(seq) => navigate(`${closeTo}?panel=journey&seq=${seq}`, { preventScrollReset: true })}
					onRewrite={({ clientId, body, replyTo }) => {
						if (replyTo) setReplyTo(replyTo);
						live.discard(clientId);
						composer.current?.rewrite(body);
					}}
					onDone={() => composer.current?.focus()}
				/>
				<div className="conversation-refused">
					<Refused refusal={refusal ?? (panel === "about" ? null : (refusedForm?.refusal ?? null))} />
				</div>
				<Composer
					ref={composer}
					room={room}
					clientId={clientId}
					draftText={draftText ?? ""}
					replyTo={replyTo}
					onCancelReply={() => setReplyTo(null)}
					onEditLast={() => timeline.current?.editLast() ?? false}
					onCommand={(name) => {
						if (name === "status" || name === "slo") setDialog(name);
						else if (name === "help") navigate(`${closeTo}?panel=help`, { preventScrollReset: true });
						else if (name !== "journey") return false;
						else if (!timeline.current?.journeyOfLast()) say(t("journey.none"));
						return true;
					}}
				/>
				<p role="status" className={said ? "toast toast-inside" : "toast toast-inside is-away"}>
					{said}
				</p>
				<Announcer />
			</div>
			{panel && (
				<SidePanel
					name={`${panel} ${travelled}`}
					title={t(`${panel}.title`)}
					closeTo={closeTo}
					onClose={close}
					refocus={() => timeline.current?.focus()}
				>
					{panel === "members" && <MembersPanel members={members} here={here} me={me.id} />}
					{panel === "about" && <AboutPanel room={room} refused={refusedForm} />}
					{panel === "help" && <HelpWords />}
					{panel === "journey" && (
						<JourneyPanel
							key={travelled}
							roomId={roomId}
							seq={travelled}
							message={view.messages.find((message) => message.seq === travelled)}
							members={members}
							me={me.id}
							onClose={close}
						/>
					)}
				</SidePanel>
			)}
			{dialog === "status" && <ConnectionDialog onClose={() => setDialog(null)} />}
			{dialog === "slo" && <SloDialog onClose={() => setDialog(null)} />}
		</div>
	);
}

function asView(opened: OpenedRoom): TimelineView {
	return { ...opened, members: Object.fromEntries(opened.members.map((member) => [member.person.id, member])) };
}

function Gone() {
	const { t } = useWords();
	return (
		<div className="blank" role="status">
			<h1>{t("room.gone")}</h1>
			<p>{t("room.goneNote")}</p>
			<p className="blank-ways">
				<Link className="button" to="/rooms">
					{t("rooms.back")}
				</Link>
			</p>
		</div>
	);
}
