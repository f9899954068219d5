import { useEffect, useState } from "react";
import type { PublicSlo } from "../contract/ops.ts";
import type { Asked } from "../live/live-state.ts";
import { useLive } from "../live/use-live.tsx";
import { useWords } from "../words/use-words.tsx";
import { Dialog } from "./dialog.tsx";
import { Refused } from "./refused.tsx";
import { ShareBar } from "./share-bar.tsx";

/** Those that say something to people; operators see all of them. */
const shown = ["send", "send-latency", "delivery", "render", "loss"] as const;
/** Below this share the budget is nearly gone; as /ops draws it. */
const scarce = 0.25;

/** How well this server keeps what Charla promises about messages. */
export function SloDialog({ onClose }: { onClose(): void }) {
	const { t } = useWords();
	const live = useLive();
	const [asked, setAsked] = useState<Asked<PublicSlo[] | null> | null>(null);
	useEffect(() => {
		let isOpen = true;
		void live.slos().then((answer) => isOpen && setAsked(answer));
		return () => {
			isOpen = false;
		};
	}, [live]);
	return (
		<Dialog title={t("slo.title")} onClose={onClose} className="sheet">
			{!asked && <p className="quiet">{t("slo.loading")}</p>}
			<Refused refusal={asked?.ok === false ? asked : null} />
			{asked?.ok && asked.data === null && <p>{t("slo.off")}</p>}
			{asked?.ok && asked.data && (
				<>
					<p className="quiet">{t("slo.note")}</p>
					<ul className="slo-list">
						{asked.data.map((slo) => {
							const name = shown.find((each) => each === slo.slo);
							return name && <SloRow key={name} name={name} slo={slo} />;
						})}
					</ul>
				</>
			)}
		</Dialog>
	);
}

function SloRow({ name, slo }: { name: (typeof shown)[number]; slo: PublicSlo }) {
	const { t, language } = useWords();
	const percent = new Intl.NumberFormat(language, { style: "percent", maximumFractionDigits: 3 });
	const number = new Intl.NumberFormat(language);
	const { objective, good, valid } = slo;
	const left = slo.budgetLeft ?? 1;
	return (
		<li>
			<h3>{t(`slo.${name}`)}</h3>
			{valid === 0 ? (
				<p className="quiet">{t("slo.nothing", { objective: percent.format(objective) })}</p>
			) : (
				<>
					<ShareBar share={left} state={left < 0 ? "gone" : left < scarce ? "scarce" : "fine"} />
					<p className="quiet">
						{t("slo.is", {
							share: percent.format(good / valid),
							valid: number.format(Math.round(valid)),
							objective: percent.format(objective),
						})}{" "}
						{left < 0 ? t("slo.gone") : t("slo.left", { left: percent.format(Math.round(left * 100) / 100) })}
					</p>
				</>
			)}
		</li>
	);
}
