import { useNavigate } from "@remix-run/react";
import { useEffect, useId, useRef, useState } from "react";
import type { MyRoom } from "../contract/shapes.ts";
import { unreadOf } from "../contract/unread.ts";
import { useWords } from "../words/use-words.tsx";
import { Avatar } from "./avatar.tsx";
import { Dialog } from "./dialog.tsx";
import { Icon } from "./icons.tsx";
import { folded } from "./room-order.ts";

/** Ctrl+K: a few letters lead to any room. Rooms with something unread come first. */
export function QuickSwitcher({ rooms, onClose }: { rooms: MyRoom[]; onClose(): void }) {
	const { t } = useWords();
	const navigate = useNavigate();
	const [query, setQuery] = useState("");
	const [chosen, setChosen] = useState(0);
	const field = useRef<HTMLInputElement>(null);
	const listId = useId();
	const wanted = folded(query.trim());
	const found = rooms
		.map((room) => ({ room, at: folded(room.name).indexOf(wanted) }))
		.filter(({ at }) => at >= 0)
		.sort((a, b) => Number(unreadOf(b.room) > 0) - Number(unreadOf(a.room) > 0) || Number(a.at > 0) - Number(b.at > 0))
		.slice(0, 12)
		.map(({ room }) => room);
	const at = Math.min(chosen, found.length - 1);
	useEffect(() => field.current?.focus(), []);

	function go(room: MyRoom | undefined): void {
		if (!room) return;
		onClose();
		navigate(`/rooms/${room.id}`);
	}

	return (
		<Dialog title={t("switcher.title")} onClose={onClose} className="switcher">
			<input
				ref={field}
				className="field"
				role="combobox"
				aria-expanded="true"
				aria-controls={listId}
				aria-autocomplete="list"
				aria-activedescendant={found[at] ? `${listId}-${found[at].id}` : undefined}
				aria-label={t("switcher.field")}
				placeholder={t("switcher.field")}
				value={query}
				dir="auto"
				autoComplete="off"
				onChange={(event) => {
					setQuery(event.target.value);
					setChosen(0);
				}}
				onKeyDown={(event) => {
					// Safari's sign for a key that ended a composition.
					if (event.nativeEvent.isComposing || event.keyCode === 229) return;
					const step = event.key === "ArrowDown" ? 1 : event.key === "ArrowUp" ? -1 : 0;
					if (step !== 0 && found.length > 0) {
						event.preventDefault();
						setChosen((at + step + found.length) % found.length);
					} else if (event.key === "Enter") {
						event.preventDefault();
						go(found[at]);
					}
				}}
			/>
			<div className="options" role="listbox" id={listId} aria-label={t("switcher.title")}>
				{found.map((room, index) => (
					<div
						key={room.id}
						id={`${listId}-${room.id}`}
						role="option"
						tabIndex={-1}
						aria-selected={index === at}
						className="option"
						onPointerMove={() => setChosen(index)}
						onMouseDown={(event) => event.preventDefault()}
						onPointerUp={() => go(room)}
					>
						<span className="room-sign">
							{room.with ? <Avatar person={room.with} size="s" /> : <Icon name={room.kind === "private" ? "lock" : "mark"} />}
						</span>
						<span className="room-name">
							<bdi>{room.name}</bdi>
						</span>
						{unreadOf(room) > 0 && <span className="count">{unreadOf(room)}</span>}
					</div>
				))}
			</div>
			{found.length === 0 && (
				<p className="quiet" role="status">
					{t("switcher.none")}
				</p>
			)}
		</Dialog>
	);
}
