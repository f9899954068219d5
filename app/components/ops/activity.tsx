import { Form, Link } from "@remix-run/react";
import type { Overview, RelayState, RoomActivity } from "../../contract/overview.ts";
import type { DeskWords } from "../../words/desk.server.ts";
import { useWords } from "../../words/use-words.tsx";
import { Chart } from "./chart.tsx";
import { Table } from "./table.tsx";

/** What happens in rooms, in numbers: of all of them with `relay`, or of one. */
export function ActivityView({ shown, relay, w }: { shown: Overview; relay: RelayState[] | null; w: DeskWords }) {
	const { language, time, full } = useWords();
	const number = new Intl.NumberFormat(language);
	const percent = new Intl.NumberFormat(language, { style: "percent", maximumFractionDigits: 1 });
	const { reach } = shown;
	const hourOf = (at: number) => new Date(at).toISOString().slice(0, 13).replace("T", " ");
	const charts = [
		{ title: w.perHour, name: w.messages, of: (hour: Overview["hours"][number]) => hour.messages },
		{ title: w.ordersPerHour, name: w.orders, of: (hour: Overview["hours"][number]) => hour.orders },
		{ title: w.changesPerHour, name: w.changes, of: (hour: Overview["hours"][number]) => hour.changes },
	];
	return (
		<>
			<section className="ops-charts">
				{charts.map(({ title, name, of }) => (
					<div key={title}>
						<Chart title={title} none={w.noData} series={[{ name, values: shown.hours.map(of) }]} />
						<details className="ops-behind">
							<summary>{w.table}</summary>
							<Table name={title} heads={[w.hour, name]}>
								{shown.hours
									.filter((hour) => of(hour) > 0)
									.map((hour) => (
										<tr key={hour.at}>
											<td>{hourOf(hour.at)}</td>
											<td>{number.format(of(hour))}</td>
										</tr>
									))}
							</Table>
						</details>
					</div>
				))}
				<figure className="ops-chart">
					<figcaption>{w.delivery}</figcaption>
					<p>
						{reach.here === 0
							? w.deliveryNone
							: w.deliveryText
									.replace("{share}", percent.format(reach.delivered / reach.here))
									.replace("{here}", number.format(reach.here))}
					</p>
				</figure>
			</section>
			{relay && (
				<section>
					<h2>{w.byRoom}</h2>
					{shown.rooms.length === 0 ? (
						<p>{w.nothing}</p>
					) : (
						<Table name={w.byRoom} heads={[w.room, w.messages, w.people, w.orders, w.bytes, w.reach, w.lastHour]}>
							{shown.rooms.map((room) => (
								<tr key={room.roomId}>
									<td>
										<RoomName room={room} w={w} />
									</td>
									<td>{number.format(room.messages)}</td>
									<td>{number.format(room.people)}</td>
									<td>{number.format(room.orders)}</td>
									<td>{number.format(room.bytes)}</td>
									<td>{room.reach === null ? "–" : percent.format(room.reach)}</td>
									<td>{room.lastHour === 0 ? "–" : hourOf(room.lastHour)}</td>
								</tr>
							))}
						</Table>
					)}
				</section>
			)}
			<section>
				<h2>{w.hints}</h2>
				<p>{w.hintsText}</p>
				{shown.hints.length === 0 ? (
					<p>{w.nothing}</p>
				) : (
					<Table name={w.hints} heads={[w.when, w.why, w.message, ...(relay ? [w.seen] : [])]}>
						{shown.hints.map((hint) => (
							<tr key={`${hint.roomId} ${hint.seq} ${hint.reason}`}>
								<td title={full(hint.at)} suppressHydrationWarning>
									{time(hint.at)}
								</td>
								<td>{w[hint.reason]}</td>
								<td>
									<Link to={`/rooms/${hint.roomId}/messages/${hint.seq}`}>{`${hint.name ?? hint.roomId.slice(-8)} #${hint.seq}`}</Link>
								</td>
								{relay && (
									<td>
										<Form method="post">
											<input type="hidden" name="roomId" value={hint.roomId} />
											<input type="hidden" name="seq" value={hint.seq} />
											<button type="submit" className="button button-small button-quiet" name="reason" value={hint.reason}>
												{w.seen}
											</button>
										</Form>
									</td>
								)}
							</tr>
						))}
					</Table>
				)}
			</section>
			<section>
				<h2>{w.questions}</h2>
				<p>{w.questionsText.replace("{answered}", number.format(shown.answered))}</p>
				{shown.questions.length === 0 ? (
					<p>{w.nothing}</p>
				) : (
					<Table name={w.questions} heads={[w.since, w.message]}>
						{shown.questions.map((question) => (
							<tr key={`${question.roomId} ${question.seq}`}>
								<td suppressHydrationWarning>{full(question.at)}</td>
								<td>
									<Link to={`/rooms/${question.roomId}/messages/${question.seq}`}>
										{`${question.name ?? question.roomId.slice(-8)} #${question.seq}`}
									</Link>
								</td>
							</tr>
						))}
					</Table>
				)}
			</section>
			{relay && (
				<section>
					<h2>{w.relay}</h2>
					<p>{w.relayText}</p>
					<Table name={w.relay} heads={[w.consumer, w.behind, w.aside]}>
						{relay.map((each) => (
							<tr key={each.consumer} className={each.aside > 0 ? "ops-bad" : undefined}>
								<td>{each.consumer}</td>
								<td>{number.format(each.behind)}</td>
								<td>{number.format(each.aside)}</td>
							</tr>
						))}
					</Table>
				</section>
			)}
		</>
	);
}

function RoomName({ room, w }: { room: RoomActivity; w: DeskWords }) {
	if (room.name !== null) return <bdi>{room.name}</bdi>;
	return <>{(room.kind === "direct" ? w.directRoom : w.privateRoom).replace("{id}", room.roomId.slice(-8))}</>;
}
