import { useLocation, useNavigate, useRevalidator, useSubmit } from "@remix-run/react";
import { type ReactNode, useEffect, useRef, useState } from "react";
import { unreadOf } from "../contract/unread.ts";
import { useLive, useLiveState } from "../live/use-live.tsx";
import { useWords } from "../words/use-words.tsx";
import { FailureAlert } from "./announcer.tsx";
import { ConnectionBanner } from "./connection-banner.tsx";
import { late, notFetched } from "./late.tsx";
import { RoomColumn } from "./room-column.tsx";
import { inOrder, kinds } from "./room-order.ts";
import { useShellKeys } from "./shell-keys.ts";
import { useTabSignals } from "./tab-signals.ts";
import { useChoice } from "./use-choice.ts";
import { inert, useMatches } from "./use-matches.ts";
import { VersionToast } from "./version-toast.tsx";

const ConnectionDialog = late(() => import("./connection-dialog.tsx").then((module) => module.ConnectionDialog));
const QuickSwitcher = late(() => import("./quick-switcher.tsx").then((module) => module.QuickSwitcher));
const ConfirmLeave = late(() => import("./confirm-leave.tsx").then((module) => module.ConfirmLeave));
const ShortcutSheet = late(() => import("./shortcut-sheet.tsx").then((module) => module.ShortcutSheet));
const SignedOutDialog = late(() => import("./signed-out-dialog.tsx").then((module) => module.SignedOutDialog));
const StraysDialog = late(() => import("./strays-dialog.tsx").then((module) => module.StraysDialog));

/** Whether what a link leads to can be shown with the scripts that are here: another place of the page, or from room to room. */
const comesInside = (from: string, to: string) => to === from || [from, to].every((path) => /^\/rooms\/[0-9a-f-]{36}$/.test(path));

const notices = ["room-changed", "invited", "opened", "left", "cart-ordered", "cart-linked", "cart-unlinked"] as const;

/** The frame of every page behind the first screen: rooms beside, connection above, shortcuts everywhere. */
export function ChatShell({ children }: { children: ReactNode }) {
	const { t, language } = useWords();
	const live = useLive();
	const navigate = useNavigate();
	const submit = useSubmit();
	const { revalidate } = useRevalidator();
	const { pathname, search } = useLocation();
	const rooms = useLiveState((state) => state.rooms);
	const connection = useLiveState((state) => state.connection.state);
	const [dialog, setDialog] = useState<"switcher" | "sheet" | "leave" | "strays" | "status" | null>(null);
	// From being signed out until one is back, or has put the dialog away.
	const [isOut, setOut] = useState(false);
	useEffect(() => {
		if (connection === "signed-out" || connection === "online") setOut(connection === "signed-out");
	}, [connection]);
	const [notice, setNotice] = useState("");
	const [isColumnOpen, setColumnOpen] = useState(false);
	const [singleKeys] = useChoice("single-keys");

	const ordered = inOrder(rooms, language);
	const list = kinds.flatMap((kind) => ordered[kind]);
	const currentId = /^\/rooms\/([0-9a-f-]{36})/.exec(pathname)?.[1] ?? null;
	const current = currentId ? rooms[currentId] : undefined;
	const unread = list.reduce((sum, room) => sum + unreadOf(room), 0);
	useTabSignals(live, unread, current?.name ?? null);

	useEffect(
		() =>
			live.onNotice(({ notice: code, goTo }) => {
				if (code !== "help") {
					const known = notices.find((name) => name === code);
					setNotice(t(known ? `notice.${known}` : "notice.other"));
				}
				if (goTo) navigate(goTo);
			}),
		[live, navigate, t],
	);
	useEffect(() => live.onReload(() => revalidate()), [live, revalidate]);
	useEffect(() => {
		const tell = () => setNotice(t("connection.cannotGo"));
		window.addEventListener(notFetched, tell);
		return () => window.removeEventListener(notFetched, tell);
	}, [t]);
	useEffect(() => {
		if (!notice) return;
		const timer = setTimeout(() => setNotice(""), 5000);
		return () => clearTimeout(timer);
	}, [notice]);
	// Whenever the address changes, the sheet that led there is done.
	const [shownPath, setShownPath] = useState(pathname);
	if (shownPath !== pathname) {
		setShownPath(pathname);
		setColumnOpen(false);
	}
	function onLink(event: React.MouseEvent): void {
		const link = event.target instanceof Element ? event.target.closest("a") : null;
		if (!link || event.button !== 0 || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
		// The room that is open already leads nowhere: the sheet closes, and nothing is asked for again.
		if (link.closest("#rooms")) {
			setColumnOpen(false);
			if (link.pathname === pathname && link.search === search) event.preventDefault();
		}
		// Leaving a room is asked of the room list by "back" buttons, which are links; here they open the sheet instead.
		if (link.matches(".back") && matchMedia("(min-width: 600px) and (max-width: 899.98px)").matches) {
			event.preventDefault();
			setColumnOpen(true);
			opener.current = link;
		} else if (connection !== "online" && link.origin === location.origin && !link.target && !comesInside(pathname, link.pathname)) {
			// A page whose script is not here yet would be loaded as a whole, and without a network this one would be lost for it.
			event.preventDefault();
			ifReachable(() => navigate(link.pathname + link.search + link.hash));
		}
	}
	// What lies under the open sheet is out of reach, as it looks; the sheet has the focus, and gives it back.
	const opener = useRef<HTMLElement | null>(null);
	const isSheetOpen = useMatches("(max-width: 899.98px)") && isColumnOpen;
	useEffect(() => {
		if (!isSheetOpen) return;
		const column = document.getElementById("rooms");
		(column?.querySelector<HTMLElement>("[aria-current=page]") ?? column)?.focus();
		const onKeyDown = (event: KeyboardEvent) => {
			if (event.key === "Escape" && !event.defaultPrevented) setColumnOpen(false);
		};
		document.addEventListener("keydown", onKeyDown);
		return () => {
			document.removeEventListener("keydown", onKeyDown);
			opener.current?.focus();
		};
	}, [isSheetOpen]);
	function ifReachable(go: () => void): void {
		fetch("/healthz", { method: "HEAD" }).then(go, () => window.dispatchEvent(new Event(notFetched)));
	}

	// Leaving takes drafts and what waits along, so it is asked about, and begun only where the server can be asked.
	const [unsent, setUnsent] = useState(0);
	const leave = () => ifReachable(() => submit(null, { method: "post", action: "/leave" }));
	function onLeave(event: React.FormEvent): void {
		event.preventDefault();
		const { pending, drafts } = live.getState();
		const texts = Object.entries(drafts).filter(([name, text]) => text.trim() && !name.endsWith(" reply"));
		const count = texts.length + pending.filter((waiting) => waiting.state !== "stored").length;
		setUnsent(count);
		if (count > 0) setDialog("leave");
		else leave();
	}

	useShellKeys({
		singleKeys,
		onSwitcher: () => setDialog("switcher"),
		onSheet: () => setDialog("sheet"),
		onRoom(step, onlyUnread) {
			const among = onlyUnread ? list.filter((room) => unreadOf(room) > 0 || room.id === currentId) : list;
			if (among.length === 0) return;
			const at = among.findIndex((room) => room.id === currentId);
			const next = among[at < 0 ? (step > 0 ? 0 : among.length - 1) : (at + step + among.length) % among.length];
			if (next && next.id !== currentId) navigate(`/rooms/${next.id}`);
		},
	});

	const where = pathname === "/rooms" ? " at-rooms" : "";
	return (
		<div className={`shell${where}${isColumnOpen ? " has-column-open" : ""}`} data-connection={connection} onClickCapture={onLink}>
			<a className="skip" href="#messages">
				{t("skip.messages")}
			</a>
			<RoomColumn
				onKeys={() => setDialog("sheet")}
				onGoTo={() => setDialog("switcher")}
				onConnection={() => setDialog("status")}
				onStrays={() => setDialog("strays")}
				onLeave={onLeave}
			/>
			{isColumnOpen && <button type="button" className="backdrop" aria-label={t("rooms.close")} onClick={() => setColumnOpen(false)} />}
			<main className="main" id="messages" tabIndex={-1} {...inert(isSheetOpen)}>
				<ConnectionBanner />
				{children}
			</main>
			<div className="toasts">
				<VersionToast />
				<p role="status" className={notice ? "toast" : "toast is-away"}>
					{notice}
				</p>
			</div>
			<FailureAlert />
			{isOut && <SignedOutDialog onClose={() => setOut(false)} />}
			{dialog === "switcher" && <QuickSwitcher rooms={list} onClose={() => setDialog(null)} />}
			{dialog === "sheet" && <ShortcutSheet onClose={() => setDialog(null)} />}
			{dialog === "strays" && <StraysDialog onClose={() => setDialog(null)} say={setNotice} />}
			{dialog === "leave" && (
				<ConfirmLeave
					unsent={unsent}
					onClose={() => setDialog(null)}
					onLeave={() => {
						setDialog(null);
						leave();
					}}
				/>
			)}
			{dialog === "status" && <ConnectionDialog onClose={() => setDialog(null)} />}
		</div>
	);
}
