import { Form, Link } from "@remix-run/react";
import type { Person } from "../contract/shapes.ts";
import { useWords } from "../words/use-words.tsx";
import { Avatar } from "./avatar.tsx";
import { MessageButton } from "./message-button.tsx";
import { PageHead } from "./page-head.tsx";
import { type RefusalShown, Refused } from "./refused.tsx";

/** Everybody, or those whose name matches; a button beside each opens the conversation. */
export function PeopleList({ people, query, refusal }: { people: Person[]; query: string; refusal: RefusalShown | null }) {
	const { t } = useWords();
	return (
		<div className="page" data-region>
			<PageHead title={t("people.title")} />
			<div className="page-body">
				<Refused refusal={refusal} />
				<search>
					<Form method="get" action="/people" className="search">
						<label className="hidden" htmlFor="people-q">
							{t("people.search")}
						</label>
						<input
							id="people-q"
							className="field"
							type="search"
							name="q"
							key={query}
							defaultValue={query}
							placeholder={t("people.search")}
							dir="auto"
						/>
						<button type="submit" className="button">
							{t("people.go")}
						</button>
					</Form>
				</search>
				{people.length === 0 && (
					<p className="quiet">
						{query ? t("people.none") : t("people.alone")} {query && <Link to="/people">{t("people.everybody")}</Link>}
					</p>
				)}
				<ul className="cards">
					{people.map((person) => (
						<li key={person.id} className="card">
							<Avatar person={person} />
							<div className="card-words">
								<strong>
									<bdi>{person.name}</bdi>
								</strong>
								{person.bot && <span className="tag">{t("members.bot")}</span>}
							</div>
							<MessageButton person={person} />
						</li>
					))}
				</ul>
			</div>
		</div>
	);
}
