import { Form, Link } from "@remix-run/react";
import type { OpenRoom } from "../contract/shapes.ts";
import { useWords } from "../words/use-words.tsx";
import { PageHead } from "./page-head.tsx";
import { type RefusalShown, Refused } from "./refused.tsx";

/** The public rooms, joined or not. */
export function BrowseRooms({ rooms, refusal }: { rooms: OpenRoom[]; refusal: RefusalShown | null }) {
	const { t, n } = useWords();
	return (
		<div className="page" data-region>
			<PageHead title={t("browse.title")}>
				<Link className="button button-small" to="/rooms/new">
					{t("rooms.new")}
				</Link>
			</PageHead>
			<div className="page-body">
				<Refused refusal={refusal} />
				{rooms.every((room) => room.joined) && <p className="quiet">{t("browse.empty")}</p>}
				<ul className="cards">
					{rooms.map((room) => (
						<li key={room.id} className="card">
							<div className="card-words">
								<strong>
									<bdi>{room.name}</bdi>
								</strong>
								{room.topic && <p dir="auto">{room.topic}</p>}
								<p className="quiet">
									{n("room.members", room.members)}
									{room.joined && ` · ${t("browse.joined")}`}
								</p>
							</div>
							{room.joined ? (
								<Link
									className="button button-quiet button-small"
									to={`/rooms/${room.id}`}
									aria-label={t("browse.openName", { name: room.name })}
								>
									{t("browse.open")}
								</Link>
							) : (
								<Form method="post" action="/rooms/browse">
									<button
										type="submit"
										className="button button-small"
										name="roomId"
										value={room.id}
										aria-label={t("browse.joinName", { name: room.name })}
									>
										{t("browse.join")}
									</button>
								</Form>
							)}
						</li>
					))}
				</ul>
			</div>
		</div>
	);
}
