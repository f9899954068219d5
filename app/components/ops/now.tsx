import { Form, Link } from "@remix-run/react";
import type { InstanceRow, PeerRow, SloState, Snapshot, Trust } from "../../contract/ops.ts";
import type { OpsWords } from "../../words/ops.server.ts";
import { useWords } from "../../words/use-words.tsx";
import { Chart, type Series } from "./chart.tsx";
import { Table } from "./table.tsx";

/** Each snapshot counts what happened in so many seconds. */
const secondsOfSnapshot = 5;
/** What is lost stands in the table by its signal. */
const signalWords = {
	span: "signalSpan",
	browser: "signalBrowser",
	metric: "signalMetric",
	log: "signalLog",
	cloudwatch: "signalCloudwatch",
} as const satisfies Record<Trust["exporting"][number]["signal"], keyof OpsWords>;

type Shown = { slos: SloState[]; snapshots: Snapshot[]; trust: Trust; instance: InstanceRow; peers: PeerRow[]; w: OpsWords };

/** How things stand: what is promised, what is going on, and whether this can be believed. */
export function OpsNow({ slos, snapshots, trust, instance, peers, w }: Shown) {
	const { time, full, language } = useWords();
	const number = new Intl.NumberFormat(language);
	const of = (name: string, value: (snapshot: Snapshot) => number | null): Series => ({ name, values: snapshots.map(value) });
	const stages = ["validate", "persist", "publish", "adapter", "deliver", "render"] as const;
	const perSecond = (name: string, value: (snapshot: Snapshot) => number) => of(name, (s) => value(s) / secondsOfSnapshot);
	const reasons = new Map<string, number>();
	for (const snapshot of snapshots)
		for (const [reason, count] of Object.entries(snapshot.disconnects)) reasons.set(reason, (reasons.get(reason) ?? 0) + count);
	return (
		<>
			<section aria-labelledby="promises">
				<h2 id="promises">{w.promises}</h2>
				<ul className="ops-slos">
					{slos.map((slo) => (
						<SloCard key={slo.slo} slo={slo} w={w} />
					))}
				</ul>
			</section>
			<section className="ops-charts">
				<Chart title={w.sending} none={w.noData} digits={1} series={[of("p50", (s) => s.sendP50), of("p99", (s) => s.sendP99)]} />
				<Chart
					title={w.arriving}
					none={w.noData}
					digits={1}
					series={[of("p50", (s) => s.deliveryP50), of("p99", (s) => s.deliveryP99), of(w.onScreen, (s) => s.renderP99)]}
				/>
				<Chart title={w.hops} none={w.noData} digits={1} series={stages.map((stage) => of(w[stage], (s) => s.stages[stage]))} />
				<Chart
					title={w.messages}
					none={w.noData}
					digits={1}
					series={[perSecond(w.stored, (s) => s.messages), perSecond(w.refused, (s) => s.refused), perSecond(w.failed, (s) => s.failed)]}
				/>
				<Chart title={w.openSockets} none={w.noData} series={[of(w.openNow, (s) => s.sockets), of(w.connects, (s) => s.connects)]} />
				<Chart title={w.pages} none={w.noData} series={[of("p99", (s) => s.httpP99), of(w.serverErrors, (s) => s.httpErrors)]} />
				<Chart
					title={w.saturation}
					none={w.noData}
					series={[of(w.loop, (s) => s.eventLoop * 100), of(w.cpu, (s) => s.cpu * 100), of(w.gc, (s) => s.gc * 100)]}
				/>
				<Chart title={w.delay} none={w.noData} digits={1} series={[of("p99", (s) => s.eventLoopDelay)]} />
				<Chart title={w.memory} none={w.noData} series={[of("RSS", (s) => s.rssMb)]} />
				<Chart title={w.database} none={w.noData} series={[of(w.inUse, (s) => s.dbInUse), of(w.waiting, (s) => s.dbWaiting)]} />
				<figure className="ops-chart">
					<figcaption>{w.disconnects}</figcaption>
					{reasons.size === 0 ? (
						<p>{w.nothing}</p>
					) : (
						<ul>
							{[...reasons].map(([reason, count]) => (
								<li key={reason}>
									<Link to={`/ops/logs?event=socket.disconnected&text=${encodeURIComponent(reason)}`}>{reason}</Link> <b>{count}</b>
								</li>
							))}
						</ul>
					)}
				</figure>
			</section>
			<section aria-labelledby="trust">
				<h2 id="trust">{w.trust}</h2>
				<Table name={w.exporter} heads={[w.exporter, w.to, w.exported, w.dropped, w.queued, w.lastError]}>
					{trust.exporting.map((each) => (
						<tr key={each.signal} className={each.dropped > 0 ? "ops-bad" : undefined}>
							<td>{w[signalWords[each.signal]]}</td>
							<td>{each.to ?? w.keptHere}</td>
							<td>{each.exported}</td>
							<td>{each.dropped}</td>
							<td>{each.queued}</td>
							<td>{each.lastError ?? "–"}</td>
						</tr>
					))}
				</Table>
				<ul className="ops-facts">
					<li>{w.kept.replace("{traces}", number.format(trust.keptTraces)).replace("{logs}", number.format(trust.keptLogs))}</li>
					<li>{w.beaconsRejected.replace("{count}", number.format(trust.beaconsRejected))}</li>
					<li>{w.fieldsRejected.replace("{count}", number.format(trust.fieldsRejected))}</li>
				</ul>
			</section>
			<section aria-labelledby="instance">
				<h2 id="instance">{w.instance}</h2>
				<p>
					<code>{instance.instance}</code> · {w.version} <code>{instance.version}</code> · {w.since}{" "}
					<time title={full(instance.startedAt)}>{time(instance.startedAt)}</time> · {w.openSockets}: {number.format(instance.sockets)} ·{" "}
					{w.level} <code>{instance.level}</code>
					{instance.levelUntil && ` ${w.until.replace("{time}", time(instance.levelUntil))}`}
				</p>
				<Form method="post" action="/ops?index">
					<button type="submit" className="button button-small" name="level" value={instance.levelUntil ? "lower" : "raise"}>
						{instance.levelUntil ? w.lower : w.raise}
					</button>
				</Form>
			</section>
			<Peers peers={peers} w={w} />
		</>
	);
}

/** The other processes on this database; of those on this machine, the pages are one link away. */
function Peers({ peers, w }: { peers: PeerRow[]; w: OpsWords }) {
	return (
		<section aria-labelledby="peers">
			<h2 id="peers">{w.peers}</h2>
			{peers.length === 0 ? <p className="quiet">{w.alone}</p> : <PeersTable peers={peers} w={w} />}
		</section>
	);
}

function PeersTable({ peers, w }: { peers: PeerRow[]; w: OpsWords }) {
	const { time, full } = useWords();
	return (
		<Table name={w.peers} heads={[w.name, w.version, w.since, w.sockets, w.heardBy]}>
			{peers.map((peer) => (
				<tr key={`${peer.instance} ${peer.startedAt}`}>
					<td>
						{/* Reloaded, as it is another process that answers. */}
						{peer.worker === null ? <code>{peer.instance}</code> : <a href={`/ops?worker=${peer.worker}`}>{peer.instance}</a>}
					</td>
					<td>
						{peer.version} <code>{peer.build}</code>
					</td>
					<td>
						<time title={full(peer.startedAt)}>{time(peer.startedAt)}</time>
					</td>
					<td>{peer.sockets}</td>
					<td>{peer.adapter}</td>
				</tr>
			))}
		</Table>
	);
}

/** Below this the budget is nearly gone. */
const scarce = 0.25;
/** Examples on a card: enough to see whether they have something in common. */
const examplesShown = 3;

function SloCard({ slo, w }: { slo: SloState; w: OpsWords }) {
	const { language } = useWords();
	const number = new Intl.NumberFormat(language);
	const left = slo.budgetLeft;
	const burning = slo.burn.short;
	const title = w[`slo.${slo.slo}` as keyof OpsWords] ?? slo.title;
	return (
		<li data-state={left === null ? "none" : left < 0 ? "gone" : left < scarce ? "scarce" : "fine"}>
			<h3>{title}</h3>
			{left === null ? (
				<p>{w.noEvents}</p>
			) : (
				<>
					<p className="ops-big">{left < 0 ? "0" : Math.round(left * 100)} %</p>
					<p>{left < 0 ? w.overspent.replace("{times}", number.format(Math.round((1 - left) * 10) / 10)) : w.budget}</p>
					<meter min={0} max={1} low={scarce} optimum={1} value={Math.max(0, left)} aria-label={`${title}: ${w.budget}`} />
					<p>
						{w.good.replace("{good}", number.format(slo.good)).replace("{valid}", number.format(slo.valid))}, {w.promise}{" "}
						{number.format(slo.objective * 100)} %
					</p>
					{burning !== null && burning > 1 && <p>{w.burn.replace("{rate}", burning.toFixed(1))}</p>}
					{slo.worst.length > 0 && (
						<p className="ops-examples">
							{w.worstExamples}:
							{slo.worst.slice(0, examplesShown).map((example) => (
								<Link key={example.traceId} to={`/ops/traces/${example.traceId}`}>
									{number.format(Math.round(example.value))} ms
								</Link>
							))}
						</p>
					)}
				</>
			)}
		</li>
	);
}
