import { useEffect, useState } from "react";
import type { MessageJourney } from "../contract/shapes.ts";
import { excerpt } from "../contract/text.ts";
import type { Asked } from "../live/live-state.ts";
import { useLive, useLiveState } from "../live/use-live.tsx";
import { useWords } from "../words/use-words.tsx";
import { CopyButton } from "./copy-button.tsx";
import { Dialog } from "./dialog.tsx";
import type { Line } from "./lines.ts";
import type { Reach } from "./reach.ts";
import { Refused } from "./refused.tsx";
import { ShareBar } from "./share-bar.tsx";

type Props = {
	roomId: string;
	/** A stored message of mine. */
	line: Line;
	/** As the page follows it: whenever it changes, the server is asked anew. */
	reach: Reach;
	onClose(): void;
	returnTo(): HTMLElement | null;
};

/** How far a message of mine has come: stored, delivered, on screen, each with its moment. */
export function JourneyDialog({ roomId, line, reach, onClose, returnTo }: Props) {
	const { t } = useWords();
	const live = useLive();
	const isSynced = useLiveState((state) => state.connection.synced);
	const [journey, setJourney] = useState<MessageJourney | null>(null);
	const [refusal, setRefusal] = useState<Extract<Asked<unknown>, { ok: false }> | null>(null);
	const { delivered, seen, total } = reach;

	// biome-ignore lint/correctness/useExhaustiveDependencies: how far it has come and the connection say when to ask again.
	useEffect(() => {
		let isWanted = true;
		void live.journey(roomId, line.seq ?? 0).then((asked) => {
			if (!isWanted) return;
			if (asked.ok) setJourney(asked.data);
			setRefusal(asked.ok ? null : asked);
		});
		return () => {
			isWanted = false;
		};
	}, [live, roomId, line.seq, delivered, seen, total, isSynced]);

	return (
		<Dialog title={t("journey.title")} onClose={onClose} returnTo={returnTo} className="sheet">
			<blockquote className="journey-text" dir="auto">
				{excerpt(line.body, 140)}
			</blockquote>
			<Refused refusal={refusal} />
			{journey ? <Steps journey={journey} /> : !refusal && <p className="quiet">{t("journey.loading")}</p>}
		</Dialog>
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
					<ul className="journey-people">
						{people.map((one) => (
							<li key={one.person.id} data-state={one.displayed ? "displayed" : one.delivered ? "delivered" : "away"}>
								<bdi>{one.person.name}</bdi>
								<span className="quiet">
									{t(one.displayed ? "journey.onScreen" : one.delivered ? "journey.arrived" : "journey.notYet")}
								</span>
							</li>
						))}
					</ul>
				</section>
			)}
			<p className="dialog-reference">
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
