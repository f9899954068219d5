import { Link } from "@remix-run/react";
import { limits } from "../contract/limits.ts";
import type { Page } from "../contract/shapes.ts";
import { useWords } from "../words/use-words.tsx";
import { hueOf } from "./hue.ts";
import { Icon } from "./icons.tsx";
import { MessageBody } from "./message-body.tsx";
import { QuoteLine } from "./quote-line.tsx";

/** A room as numbered pages: each has a lasting address, reads without JavaScript and prints. `at` is where they are. */
export function PagesView({ page, at, sizes }: { page: Page; at: string; sizes: readonly number[] }) {
	const { t, n, full } = useWords();
	const { room, messages } = page;
	return (
		<div className="pages">
			<header className="pages-head">
				<Link className="icon-button" to={`/rooms/${room.id}`} discover="none" aria-label={t("pages.live")}>
					<Icon name="back" />
				</Link>
				<div>
					<h1>
						<bdi>{room.name}</bdi>
					</h1>
					<p className="quiet">{n("timeline.count", room.lastMsg)}</p>
				</div>
				<form method="get" className="pages-size">
					{messages[0] && <input type="hidden" name="from" value={messages[0].msgNo} />}
					{messages[0] && <input type="hidden" name="at" value={messages[0].seq} />}
					<label htmlFor="pages-size">{t("pages.size")}</label>
					<select
						id="pages-size"
						name="size"
						defaultValue={String(page.size)}
						key={page.size}
						onChange={(event) => event.currentTarget.form?.requestSubmit()}
					>
						{sizes.map((size) => (
							<option key={size} value={size}>
								{size}
							</option>
						))}
					</select>
					<noscript>
						<button type="submit" className="button button-small">
							{t("pages.sizeGo")}
						</button>
					</noscript>
				</form>
			</header>
			<main className="leaf">
				<h2>{t("pages.title", { page: page.page, pages: page.pages })}</h2>
				{messages.length === 0 && <p className="quiet">{t("pages.empty")}</p>}
				<ol className="pages-list">
					{messages.map((message) => (
						<li key={message.seq} value={message.msgNo} id={`m${message.seq}`}>
							<Link
								className="pages-number"
								// By its name too: where no script runs, that is what brings it into sight.
								to={`/rooms/${room.id}?at=${message.seq}#m${message.seq}`}
								discover="none"
								aria-label={t("pages.number", { number: message.msgNo })}
							>
								{message.msgNo}
							</Link>
							<article>
								<header className="line-head">
									<strong className={message.author.bot ? "name" : `name ${hueOf(message.author.id)}`}>
										<bdi>{message.author.name}</bdi>
									</strong>
									<time dateTime={new Date(message.createdAt).toISOString()} suppressHydrationWarning>
										{full(message.createdAt)}
									</time>
									{message.editedAt !== null && <span className="mark">{t("message.edited")}</span>}
								</header>
								{message.replyTo && <QuoteLine quote={message.replyTo} roomId={room.id} />}
								{message.deletedAt === null ? (
									<MessageBody body={message.body} html={message.html} />
								) : (
									<p className="tombstone">{t("message.deleted")}</p>
								)}
							</article>
						</li>
					))}
				</ol>
			</main>
			<PageLinks page={page} at={at} />
		</div>
	);
}

function PageLinks({ page: { page, pages, size }, at }: { page: Page; at: string }) {
	const { t } = useWords();
	const to = (wanted: number) => `${at}/${wanted}${size === limits.page ? "" : `?size=${size}`}`;
	const ways = [
		{ key: "pages.first", to: 1, isOpen: page > 1 },
		{ key: "pages.previous", to: page - 1, isOpen: page > 1, rel: "prev" },
		{ key: "pages.next", to: page + 1, isOpen: page < pages, rel: "next" },
		{ key: "pages.last", to: pages, isOpen: page < pages },
	] as const;
	return (
		<nav className="pages-nav" aria-label={t("pages.nav")}>
			{ways.slice(0, 2).map((way) => (
				<PageWay key={way.key} to={way.isOpen ? to(way.to) : null} rel={"rel" in way ? way.rel : undefined} words={t(way.key)} />
			))}
			<span className="pages-here">{t("pages.title", { page, pages })}</span>
			{ways.slice(2).map((way) => (
				<PageWay key={way.key} to={way.isOpen ? to(way.to) : null} rel={"rel" in way ? way.rel : undefined} words={t(way.key)} />
			))}
		</nav>
	);
}

function PageWay({ to, words, rel }: { to: string | null; words: string; rel?: string }) {
	// Where there is nowhere to go stands the word alone, so that the others keep their place.
	if (to === null) return <span className="pages-way is-off">{words}</span>;
	return (
		<Link className="pages-way" to={to} rel={rel} discover="none">
			{words}
		</Link>
	);
}
