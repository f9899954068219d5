import { type ReactNode, useEffect, useState } from "react";
import { useLive, useLiveState } from "../live/use-live.tsx";
import { useWords } from "../words/use-words.tsx";
import { connectionReport } from "./connection-report.ts";
import { CopyButton } from "./copy-button.tsx";
import { Dialog } from "./dialog.tsx";
import { latencyOf, medianOf, qualityOf } from "./quality.ts";

/** How often the way is measured while somebody looks, ms. */
const pingEvery = 3000;
/** Differences the estimate itself may have, ms. */
const sameClock = 50;

/** How the connection is doing, live, and a report of it to pass on. */
export function ConnectionDialog({ onClose }: { onClose(): void }) {
	const { t, n, precise, language } = useWords();
	const live = useLive();
	const connection = useLiveState((state) => state.connection);
	const waiting = useLiveState((state) => state.pending.filter((pending) => pending.state !== "stored").length);
	const [instance, setInstance] = useState<string | null>(null);
	useEffect(() => {
		let timer: ReturnType<typeof setTimeout>;
		let isOpen = true;
		const measure = async () => {
			const answer = await live.ping();
			if (!isOpen) return;
			if (answer) setInstance(answer.instance);
			timer = setTimeout(measure, pingEvery);
		};
		void measure();
		return () => {
			isOpen = false;
			clearTimeout(timer);
		};
	}, [live]);

	const { state, transport, roundTrips, clockOffset, reconnects, lostAt } = connection;
	const quality = qualityOf(connection);
	const latency = latencyOf(roundTrips);
	const rows: [string, ReactNode][] = [
		[t("status.state"), t(`status.is.${state}`)],
		[t("status.transport"), transport ? t(`status.${transport}`) : "–"],
		[
			t("status.roundTrip"),
			latency === null ? "–" : t("status.roundTripOf", { ms: latency, middle: medianOf(roundTrips) ?? latency, count: roundTrips.length }),
		],
		[
			t("status.clock"),
			Math.abs(clockOffset) < sameClock
				? t("status.clockSame")
				: t(clockOffset < 0 ? "status.clockAhead" : "status.clockBehind", { ms: Math.abs(clockOffset) }),
		],
		[t("status.reconnects"), lostAt === null ? t("status.never") : t("status.lostAt", { count: reconnects, when: precise(lostAt) })],
		[t("status.toSend"), waiting === 0 ? t("status.nothing") : n("status.messages", waiting)],
		[t("status.version"), <code key="version">{live.build}</code>],
		[t("status.instance"), instance ? <code key="instance">{instance}</code> : "–"],
	];
	return (
		<Dialog title={t("status.title")} onClose={onClose} className="sheet">
			<p className="status-now" data-quality={quality}>
				<span className="latency-dot" aria-hidden="true" />
				<strong>{t(`latency.${quality}`)}</strong>
				<Sparkline samples={roundTrips} />
			</p>
			<section className="keys">
				<dl>
					{rows.map(([name, value]) => (
						<div key={name}>
							<dt>{name}</dt>
							<dd>{value}</dd>
						</div>
					))}
				</dl>
			</section>
			<p className="quiet">{t("status.reportNote")}</p>
			<p className="dialog-ways">
				<CopyButton
					words={t("status.copy")}
					text={() =>
						connectionReport({ connection, waiting, build: live.build, instance, at: Date.now(), userAgent: navigator.userAgent, language })
					}
				/>
			</p>
		</Dialog>
	);
}

/** The last round trips, oldest first, against the longest of them. */
function Sparkline({ samples }: { samples: readonly number[] }) {
	if (samples.length < 2) return null;
	const highest = Math.max(...samples, 1);
	const points = samples.map(
		(ms, index) => `${((index / (samples.length - 1)) * 100).toFixed(1)},${(18 - (ms / highest) * 16).toFixed(1)}`,
	);
	return (
		<svg className="sparkline" viewBox="0 0 100 20" preserveAspectRatio="none" aria-hidden="true">
			<polyline points={points.join(" ")} />
		</svg>
	);
}
