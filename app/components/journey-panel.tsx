import { useEffect, useMemo, useRef, useState } from "react";
import type { Member, Message, MessageJourney } from "../contract/shapes.ts";
import { excerpt } from "../contract/text.ts";
import { useLive, useLiveState } from "../live/use-live.tsx";
import { useWords } from "../words/use-words.tsx";
import { Avatar } from "./avatar.tsx";
import { CopyButton } from "./copy-button.tsx";
import { openReach } from "./reach.ts";
import { type RefusalShown, Refused } from "./refused.tsx";
import { ShareBar } from "./share-bar.tsx";

type Props = {
	roomId: string;
	seq: number;
	/** The message, while it is among those on the page. */
	message: Message | undefined;
	members: Record<string, Member>;
	me: string;
	/** Where its script does not come. */
	onClose(): void;
};

/** How far a message of mine has come: stored, delivered, on screen, each with its moment. */
export function JourneyPanel({ roomId, seq, message, members, me }: Props) {
	const { t } = useWords();
	const live = useLive();
	const isSynced = useLiveState((state) => state.connection.synced);
	// Before there was a connection nothing has failed yet.
	const isBeginning = useLiveState(({ connection }) => connection.state === "connecting" && connection.lostAt === null);
	const [journey, setJourney] = useState<MessageJourney | null>(null);
	const [refusal, setRefusal] = useState<RefusalShown | null>(null);
	// As the page follows it: whenever it changes, the server is asked anew.
	const { delivered, seen, total } = useMemo(() => openReach(members, me)(seq), [members, me, seq]);
	const shown = useRef(message);
	if (message) shown.current = message;

	// biome-ignore lint/correctness/useExhaustiveDependencies: how far it has come and the connection say when to ask again.
	useEffect(() => {
		if (isBeginning) return;
		let isWanted = true;
		void live.journey(roomId, seq).then((asked) => {
			if (!isWanted) return;
			if (asked.ok) setJourney(asked.data);
			setRefusal(asked.ok ? null : asked);
		});
		return () => {
			isWanted = false;
		};
	}, [live, roomId, seq, delivered, seen, total, isSynced, isBeginning]);

	return (
		<div className="journey-panel">
			{shown.current?.body && (
				<blockquote className="journey-text" dir="auto">
					{excerpt(shown.current.body, 140)}
				</blockquote>
			)}
			<Refused refusal={refusal} />
			{journey ? <Steps journey={journey} /> : !refusal && <p className="quiet">{t("journey.loading")}</p>}
		</div>
	);
}

function Steps({ journey }: { journey: MessageJourney }) {
	const { t, precise } = useWords();
	const { storedAt, others, delivered, displayed, people } = journey;
	return (
		<>
			<ol className="journey">
				<li data-done>
					<h3>{t("hilo.stored")}</h3>
					<p className="quiet">{precise(storedAt)}</p>
				</li>
				<Step words={t("journey.delivered", { count: delivered.count, total: others })} step={delivered} total={others} />
				<Step words={t("journey.displayed", { count: displayed.count, total: others })} step={displayed} total={others} />
			</ol>
			{others === 0 && <p className="quiet">{t("journey.alone")}</p>}
			{people === null && <p className="quiet">{t("journey.manyNote")}</p>}
			{people && people.length > 0 && (
				<section className="keys" aria-labelledby="journey-people">
					<h3 id="journey-people">{t("journey.people")}</h3>
					<ul className="members">
						{people.map(({ person, delivered, displayed }) => (
							<li key={person.id} className="member">
								<Avatar person={person} />
								<span className="member-name">
									<bdi>{person.name}</bdi>
									<span className="quiet">{t(displayed ? "journey.onScreen" : delivered ? "journey.arrived" : "journey.notYet")}</span>
								</span>
							</li>
						))}
					</ul>
				</section>
			)}
			<p className="journey-reference">
				<span className="quiet">{t("journey.reference")}</span> <code>{journey.messageId}</code>
				<CopyButton words={t("copy.reference")} text={() => journey.messageId} />
			</p>
		</>
	);
}

function Step({ words, step, total }: { words: string; step: MessageJourney["delivered"]; total: number }) {
	const { t, precise } = useWords();
	const { count, first, last } = step;
	const isDone = total > 0 && count >= total;
	return (
		<li data-done={isDone || undefined} data-begun={(count > 0 && !isDone) || undefined}>
			<h3>{words}</h3>
			{total > 0 && <ShareBar share={count / total} />}
			{first !== null && (
				<p className="quiet">
					{last !== null && last !== first ? t("journey.between", { first: precise(first), last: precise(last) }) : precise(first)}
				</p>
			)}
		</li>
	);
}
